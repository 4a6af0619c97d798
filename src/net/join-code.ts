// The code with which a machine joins: an invitation's, and after a point the server's key, so that a machine never takes
// a server's word for who it is.

/** The digest of a fingerprint, in base64url. */
const PIN = /^[A-Za-z0-9_-]{43}$/;
const FINGERPRINT = /^sha256\/\/([A-Za-z0-9+/]{43})=$/;

export interface JoinCode {
  readonly code: string;
  /** Of the server's key, as `sha256//…`. */
  readonly fingerprint: string;
}

export function formatJoinCode(code: string, fingerprint: string): string {
  const digest = FINGERPRINT.exec(fingerprint)?.[1];
  if (digest === undefined) throw new Error(`Not a fingerprint: ${fingerprint}`);
  return `${code}.${digest.replaceAll('+', '-').replaceAll('/', '_')}`;
}

/** Undefined: it carries no key. */
export function parseJoinCode(text: string): JoinCode | undefined {
  const [code = '', pin = '', ...more] = text.trim().split('.');
  if (code === '' || more.length > 0 || !PIN.test(pin)) return undefined;
  return { code, fingerprint: `sha256//${pin.replaceAll('-', '+').replaceAll('_', '/')}=` };
}
