// A method or a notification of the native protocol: its name, what it takes and what it gives.

import type { MethodName } from './methods.ts';
import { object, type BadParams, type ObjectShape, type Schema } from './shape.ts';

export interface Method<Params, Result> {
  readonly name: MethodName;
  readonly params: Schema;
  readonly result: Schema;
  /** As the server reads what is asked. */
  readonly parseParams: (params: unknown) => Params | BadParams;
  /** As a client reads the answer; undefined: that is none. */
  readonly parseResult: (result: unknown) => Result | undefined;
}

export interface Notification<Params> {
  readonly name: string;
  readonly params: Schema;
  /** Undefined: it says something else. */
  readonly parse: (params: unknown) => Params | undefined;
}

/** What has nothing to say. */
export const NOTHING = object({});

export function method<Params, Result>(
  name: MethodName,
  { params, result }: { params: ObjectShape<Params>; result: ObjectShape<Result> },
): Method<Params, Result> {
  return {
    name,
    params: params.schema,
    result: result.schema,
    // By name, or not at all: what takes nothing is asked without `params` too.
    parseParams: (given) => params.parse(given ?? {}),
    parseResult: (given) => result.read(given),
  };
}

export function notification<Params>(name: string, params: ObjectShape<Params>): Notification<Params> {
  return { name, params: params.schema, parse: (given) => params.read(given) };
}
