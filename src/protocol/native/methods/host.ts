// Machines: how one joins and shows that it is the one, and which there are.

import { MAX_CONTROL_BYTES_WITHOUT_ROLE } from '../limits.ts';
import { method } from '../method.ts';
import { listOf, mapOf, object, oneOf, optional, orNull, someText, text, truth, type Shape } from '../shape.ts';
import { FAMILIES } from './chat.ts';
import { command, directory } from './run.ts';

/** Labels of a machine at most, and UTF-16 units of one's name and of its value. */
const MAX_LABELS = 64;
const MAX_LABEL_LENGTH = 128;
/** Bytes of all of them in JSON: they come in a request of somebody who has no role yet, with key and proof (200 bytes). */
const MAX_LABELS_BYTES = MAX_CONTROL_BYTES_WITHOUT_ROLE - 1_024;

/** Why a machine cannot have these labels. */
export function whyNoLabels(labels: ReadonlyMap<string, string>): string | undefined {
  if (labels.size > MAX_LABELS) return `${labels.size} labels, ${MAX_LABELS} are the most`;
  for (const [name, value] of labels) {
    if (!/^[A-Za-z0-9_.-]+$/.test(name)) return 'a label’s name has letters, digits, _, - and . alone';
    if (name.length > MAX_LABEL_LENGTH || value.length > MAX_LABEL_LENGTH) {
      return `a label’s name has at most ${MAX_LABEL_LENGTH} characters, and its value as many`;
    }
  }
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(labels))).length;
  return bytes <= MAX_LABELS_BYTES ? undefined : `the labels have ${bytes} bytes, and ${MAX_LABELS_BYTES} are the most`;
}

/** SubjectPublicKeyInfo of an Ed25519 key (RFC 8410): 44 bytes in base64url. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{59}$/;
/** RFC 8032: 64 bytes in base64url. */
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;
const NONCE = /^[A-Za-z0-9_-]{43}$/;

function matching(what: string, pattern: RegExp): Shape<string> {
  return {
    what,
    schema: { type: 'string', pattern: pattern.source },
    read: (value) => (typeof value === 'string' && pattern.test(value) ? value : undefined),
  };
}

const key = matching('an Ed25519 public key in base64url', PUBLIC_KEY);
const proof = matching('a signature in base64url', SIGNATURE);
const nonce = matching('32 bytes in base64url', NONCE);
const labels = mapOf(text);
const milliseconds: Shape<number> = {
  what: 'a number of milliseconds',
  schema: { type: 'number', minimum: 0 },
  read: (value) => (typeof value === 'number' && value >= 0 ? value : undefined),
};

/** The key belongs to the invited name from now on; what shows that it is held is a proof. */
export const hostJoin = method('host.join', {
  params: object({ code: someText, key }),
  result: object({ name: text }),
});

/** `fingerprint`: of the server's key, as it says. A machine relies on the key that TLS has shown. */
export const hostChallenge = method('host.challenge', {
  params: object({ nonce }),
  result: object({ nonce, fingerprint: optional(text) }),
});

/** From the answer on the connection is the machine's: it is asked, and asks nothing any more. */
export const hostProve = method('host.prove', {
  params: object({ key, proof, labels }),
  result: object({ name: text }),
});

export const hostList = method('host.list', {
  params: object({ after: optional(text) }),
  result: object({
    next: optional(text),
    hosts: listOf(
      object({
        name: text,
        state: oneOf(['online', 'offline']),
        family: orNull(oneOf(FAMILIES)),
        rttMs: orNull(milliseconds),
        labels,
        lastSeen: orNull(text),
      }),
    ),
  }),
});

/**
 * Which machines a target means, in their order; `isOneName`: one name and nothing else was given. With a command it is
 * refused unless that may run on all of them.
 */
export const hostResolve = method('host.resolve', {
  params: object({
    targets: someText,
    command: optional(command),
    cwd: optional(directory),
    hasTerminal: optional(truth),
    /** It is only looked what would run: what is not allowed is no attempt, and goes on no record. */
    dryRun: optional(truth),
  }),
  result: object({
    hosts: listOf(object({ name: text, state: oneOf(['online', 'offline']) })),
    isOneName: truth,
    /** It may run there once somebody else has approved: `run.ask`. */
    needsApproval: optional(truth),
  }),
});
