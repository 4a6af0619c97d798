// The server's policy as a file: read at the start, where a mistake is an error, and again on SIGHUP, where it is a warning.

import { readOwnFile } from './config/files.ts';
import { NO_POLICY, type Policy, type RunPolicy } from './core/run/policy.ts';
import { parsePolicy } from './core/run/policy-file.ts';
import { wordsForPolicy } from './doors/shared/words-run.ts';
import type { ConsoleEvent, Log } from './log/log.ts';
import { reasonOf } from './reason.ts';

/** Of group and others, the right to write: whoever has it says who may run what. */
const OTHERS_WRITE = 0o022;

export interface PolicyOptions {
  readonly path: string;
  /** Others than the owner may run on the server itself. */
  readonly isServerOpen: boolean;
  readonly log: Log;
}

/** Who may run what. Throws an Error whose message is the whole story; a reload keeps what there was, and says why. */
export function openPolicy({ path, isServerOpen, log }: PolicyOptions): RunPolicy & { reload(): void } {
  const policy = {
    current: readPolicy(path),
    isServerOpen,
    reload() {
      try {
        policy.current = readPolicy(path);
        tell();
        log.tell(inForce(policy.current));
      } catch (error) {
        log.warn('policy not reloaded, the old one stays in force', { reason: reasonOf(error) });
      }
    },
  };
  const tell = () => log.info('policy', { rules: policy.current.rules.length, verbs: policy.current.verbs.size });
  tell();
  return policy;
}

function inForce({ rules, verbs }: Policy): ConsoleEvent {
  const rulesSaid = rules.length === 1 ? '1 rule' : `${rules.length} rules`;
  const verbsSaid = verbs.size === 1 ? '1 verb' : `${verbs.size} verbs`;
  const text = `policy in force: ${rulesSaid}, ${verbsSaid}`;
  return { event: 'policy', text, rules: rules.length, verbs: verbs.size };
}

function readPolicy(path: string): Policy {
  const text = readOwnFile(path, { others: OTHERS_WRITE, verb: 'write to' });
  if (text === undefined) return NO_POLICY;
  if (typeof text === 'object') throw new Error(`Cannot use the policy ${path}: ${text.why}`);
  const policy = parsePolicy(text);
  if (!('refused' in policy)) return policy;
  throw new Error(`Cannot use the policy ${path}: line ${policy.line}: ${wordsForPolicy(policy.why)}`);
}
