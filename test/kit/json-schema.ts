// Whether a value is what a JSON Schema says, for the words of it that this project uses.

import type { Schema } from '../../src/protocol/native/shape.ts';

/** Undefined: it is; otherwise where it is not. */
export function wrongIn(value: unknown, schema: Schema, where = '$'): string | undefined {
  const { type, properties = {}, required = [], items, additionalProperties, oneOf } = schema;
  if (oneOf !== undefined) {
    const fitting = oneOf.filter((one) => wrongIn(value, one, where) === undefined).length;
    if (fitting !== 1) return `${where} fits ${fitting} of ${oneOf.length}`;
  }
  if (type !== undefined && ![type].flat().includes(typeOf(value))) return `${where} is ${typeOf(value)}`;
  if (typeof value === 'string') {
    if (schema.enum !== undefined && !schema.enum.includes(value)) return `${where} is ${value}`;
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) return `${where} is ${value}`;
    if (value.length < (schema.minLength ?? 0)) return `${where} is too short`;
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)) return `${where} is ${value}`;
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0) || value.length > (schema.maxItems ?? value.length))
      return `${where}.length`;
    if (items === undefined) return undefined;
    return first(value.map((item, at) => wrongIn(item, items, `${where}[${at}]`)));
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.entries(value);
  if (entries.length > (schema.maxProperties ?? entries.length)) return `${where} has too many fields`;
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${where} lacks ${missing}`;
  return first(
    entries.map(([name, field]) => {
      const known = properties[name] ?? additionalProperties;
      return known === undefined ? undefined : wrongIn(field, known, `${where}.${name}`);
    }),
  );
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((one) => one !== undefined);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
