// The options that each call of the library has. A program in plain JavaScript would otherwise not find out that it wrote
// `timeout` for `timeoutMs`, and a command of it would run without an end.

import type { AttachOptions } from './watch.ts';
import type { RunOptions } from './command-run.ts';
import type { HistoryWishes } from './history.ts';
import type { Reading } from './inbox.ts';
import type { ManyOptions } from './many.ts';
import type { ConnectOptions } from './mod.ts';
import type { DetachOptions, Inviting } from './wishes.ts';

/** Each of them, and nothing else: the compiler says which one is missing here. */
type Every<Options> = Readonly<Record<Options extends unknown ? keyof Options : never, true>>;

const WHAT = { command: true, argv: true, verb: true, args: true } as const;
const HOW = { cwd: true, env: true, timeoutMs: true } as const;
const PAGE = { before: true, limit: true } as const;

const CONNECT: Every<ConnectOptions> = {
  host: true,
  credential: true,
  reconnect: true,
  trust: true,
  onConnection: true,
  signal: true,
  world: true,
  makeSocket: true,
};
const RUN: Every<RunOptions> = {
  ...WHAT,
  on: true,
  ...HOW,
  stdin: true,
  terminal: true,
  onApproval: true,
  signal: true,
};
const RUN_MANY: Every<ManyOptions> = {
  ...WHAT,
  on: true,
  ...HOW,
  batch: true,
  stopAfter: true,
  stdin: true,
  maxBytes: true,
  onApproval: true,
  signal: true,
};
const DETACH: Every<DetachOptions> = { ...WHAT, on: true, ...HOW, takesInput: true };
const ATTACH: Every<AttachOptions> = { host: true, from: true, stdin: true, signal: true };
const MESSAGES: Every<Reading> = { after: true, until: true, acknowledge: true, onBehind: true, onReceipt: true };
const HISTORY: Every<HistoryWishes> = { with: true, ...PAGE, after: true, onUnknown: true };
const INVITE: Every<Inviting> = { role: true, kind: true };

const CALLS = {
  connect: CONNECT,
  run: RUN,
  runMany: RUN_MANY,
  detach: DETACH,
  attach: ATTACH,
  messages: MESSAGES,
  history: HISTORY,
  invite: INVITE,
  search: PAGE,
  runs: PAGE,
  send: { key: true },
  share: { key: true },
} as const satisfies Readonly<Record<string, Readonly<Record<string, true>>>>;

/** Throws a `TypeError` before anything is done: a mistake of the program, and no answer of a server. */
export function mustKnow(call: keyof typeof CALLS, options: object): void {
  const known = CALLS[call];
  const wrong = Object.keys(options).find((option) => !Object.hasOwn(known, option));
  if (wrong === undefined) return;
  throw new TypeError(`${call}() has no option ${JSON.stringify(wrong)}; it has ${Object.keys(known).join(', ')}`);
}
