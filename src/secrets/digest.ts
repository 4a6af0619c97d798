// SHA-256 of what passes.

import { createHash } from 'node:crypto';
import type { Digest } from '../core/run/capture.ts';

export function newDigest(): Digest {
  const hash = createHash('sha256');
  return { update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') };
}

/** Of a text in UTF-8, 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
