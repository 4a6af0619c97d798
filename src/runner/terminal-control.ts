// What the runner process and the process of one terminal say to each other.

import type { TerminalSize } from '../core/ports.ts';
import type { Ending } from '../core/run/result.ts';
import type { Identity } from './control.ts';

export interface TerminalStart {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly identity: Identity | undefined;
  readonly size: TerminalSize;
  /** Signals reach the process of the terminal alone, which has to pass them on. */
  readonly passesSignals: boolean;
}

export type ToTerminal = ({ do: 'start' } & TerminalStart) | { do: 'resize'; size: TerminalSize };

export type FromTerminal =
  | { did: 'exit'; ending: Ending }
  /** There is no terminal, and nothing was started. */
  | { did: 'fail'; reason: string };

export function isToTerminal(message: unknown): message is ToTerminal {
  return typeof message === 'object' && message !== null && 'do' in message;
}

export function isFromTerminal(message: unknown): message is FromTerminal {
  return typeof message === 'object' && message !== null && 'did' in message;
}
