// How a server's key is told from another: the SHA-256 of its public key (SPKI, RFC 7469 2.4), which outlives
// certificates. Written as curl's --pinnedpubkey takes it.

import { createHash, type KeyObject } from 'node:crypto';

export function fingerprintOf(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256//${createHash('sha256').update(spki).digest('base64')}`;
}
