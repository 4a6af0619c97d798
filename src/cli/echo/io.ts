// What `partyline echo` touches of the world, so that a test can stand in for it.

import type { Readable, Writable } from 'node:stream';
import type { Clock, Lookup } from '../../net/dial.ts';

export interface EchoIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly lookup?: Lookup;
  /** Of a probe. */
  readonly clock?: Clock;
}
