// What an operator says of a server.

import type { Log } from '../log/log.ts';
import type { TlsFiles } from '../net/identity.ts';
import type { Listen } from '../net/listen.ts';
import type { User } from '../runner/user.ts';

export interface ServerOptions {
  readonly name: string;
  readonly owner: string;
  readonly listen: readonly Listen[];
  readonly directory: string;
  readonly isOpen: boolean;
  /** Bytes of each output that records keep. */
  readonly keptBytes?: number;
  /** Commands run as this user instead of as the server's. */
  readonly runAs?: User;
  /** The operator's own key and certificate, instead of those in the directory. */
  readonly tls?: TlsFiles;
  readonly log: Log;
  readonly now?: () => number;
}
