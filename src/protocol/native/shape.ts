// What a value of the wire looks like, said once: how it is read, how it is called when it is wrong, and its JSON
// Schema. Fields that a shape does not name are ignored, so that a newer other end may say more.

import { field, isRecord } from './rpc.ts';

/** JSON Schema, as far as it is needed here (draft 2020-12). */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly description?: string;
}

export interface Shape<Value> {
  /** As in `name is not a string`. */
  readonly what: string;
  readonly schema: Schema;
  /** Undefined: it does not look like that. */
  read(value: unknown): Value | undefined;
}

/** A field that may be missing. */
export interface Optional<Value> {
  readonly optional: Shape<Value>;
}

/** What was asked is not what the method takes; the text says which field. */
export interface BadParams {
  readonly bad: string;
}

type Fields = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>;
type ValueOf<Field> = Field extends Shape<infer Value> ? Value : Field extends Optional<infer Value> ? Value : never;
type OptionalKeys<Given> = { [Key in keyof Given]: Given[Key] extends Optional<unknown> ? Key : never }[keyof Given];
export type ReadOf<Given> = {
  readonly [Key in Exclude<keyof Given, OptionalKeys<Given>>]: ValueOf<Given[Key]>;
} & { readonly [Key in OptionalKeys<Given>]?: ValueOf<Given[Key]> };

export interface ObjectShape<Value> extends Shape<Value> {
  /** The same, but says which field is wrong. */
  parse(value: unknown): Value | BadParams;
}

export const text: Shape<string> = {
  what: 'a string',
  schema: { type: 'string' },
  read: (value) => (typeof value === 'string' ? value : undefined),
};

export const someText: Shape<string> = {
  what: 'a string that is not empty',
  schema: { type: 'string', minLength: 1 },
  read: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
};

export const truth: Shape<boolean> = {
  what: 'true or false',
  schema: { type: 'boolean' },
  read: (value) => (typeof value === 'boolean' ? value : undefined),
};

/** RFC 3339 in UTC. */
export const time: Shape<string> = {
  what: 'a time of RFC 3339 in UTC',
  schema: { type: 'string', pattern: String.raw`^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$` },
  read: (value) =>
    typeof value === 'string' && /^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) ? value : undefined,
};

export function integer(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  const isOne = (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum;
  const bounds = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  return {
    what: `an integer ${bounds}`,
    schema: { type: 'integer', minimum, maximum },
    read: (value) => (isOne(value) ? value : undefined),
  };
}

/** Of a message; 0 stands before the first. */
export const messageId = integer(0);

export function oneOf<const Word extends string>(words: readonly Word[]): Shape<Word> {
  return {
    what: `one of ${words.join(', ')}`,
    schema: { type: 'string', enum: words },
    read: (value) => words.find((word) => word === value),
  };
}

export function orNull<Value>(shape: Shape<Value>): Shape<Value | null> {
  const { type } = shape.schema;
  return {
    what: `${shape.what} or null`,
    schema: typeof type === 'string' ? { ...shape.schema, type: [type, 'null'] } : shape.schema,
    read: (value) => (value === null ? null : shape.read(value)),
  };
}

export function listOf<Item>(
  item: Shape<Item>,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): Shape<readonly Item[]> {
  const bounds = max === Number.MAX_SAFE_INTEGER ? '' : ` of ${min} to ${max}`;
  return {
    what: `an array${bounds}, each ${item.what}`,
    schema: {
      type: 'array',
      items: item.schema,
      ...(min === 0 ? {} : { minItems: min }),
      ...(max === Number.MAX_SAFE_INTEGER ? {} : { maxItems: max }),
    },
    read: (value) => {
      if (!Array.isArray(value) || value.length < min || value.length > max) return undefined;
      const items: Item[] = [];
      for (const one of value) {
        const read = item.read(one);
        if (read === undefined) return undefined;
        items.push(read);
      }
      return items;
    },
  };
}

/** An object whose fields are names that nobody knows beforehand. */
export function mapOf<Value>(entry: Shape<Value>): Shape<ReadonlyMap<string, Value>> {
  return {
    what: `an object, each field ${entry.what}`,
    schema: { type: 'object', additionalProperties: entry.schema },
    read: (value) => {
      if (!isRecord(value)) return undefined;
      const entries = new Map<string, Value>();
      for (const [name, given] of Object.entries(value)) {
        const read = entry.read(given);
        if (read === undefined) return undefined;
        entries.set(name, read);
      }
      return entries;
    },
  };
}

export function optional<Value>(shape: Shape<Value>): Optional<Value> {
  return { optional: shape };
}

export function object<const Given extends Fields>(fields: Given): ObjectShape<ReadOf<Given>> {
  const named = Object.entries(fields).map(([name, given]) =>
    'optional' in given ? { name, shape: given.optional, isOptional: true } : { name, shape: given, isOptional: false },
  );
  const required = named.filter(({ isOptional }) => !isOptional).map(({ name }) => name);
  const parse = (value: unknown): ReadOf<Given> | BadParams => {
    if (!isRecord(value)) return { bad: 'params is not an object' };
    const found: Record<string, unknown> = {};
    for (const { name, shape, isOptional } of named) {
      const given = field(value, name);
      if (given === undefined && isOptional) continue;
      const read = shape.read(given);
      if (read === undefined) return { bad: `${name} is not ${shape.what}` };
      found[name] = read;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each field was read by its shape just now
    return found as ReadOf<Given>;
  };
  return {
    what: 'an object',
    schema: {
      type: 'object',
      properties: Object.fromEntries(named.map(({ name, shape }) => [name, shape.schema])),
      ...(required.length === 0 ? {} : { required }),
    },
    parse,
    read: (value) => {
      const found = parse(value);
      return isBad(found) ? undefined : found;
    },
  };
}

function isBad(found: object): found is BadParams {
  return 'bad' in found;
}
