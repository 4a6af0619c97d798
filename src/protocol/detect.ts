// Which protocol a connection speaks, told from its first bytes. Pure: bytes in, verdict out.

export type Spoken = 'tls' | 'http' | 'echo' | 'native' | 'line';

/** RFC 9112 section 3 recommends to support 8,000 octets; a longer request line is HTTP's to refuse. */
const MAX_REQUEST_LINE_BYTES = 8_192;

/** RFC 8446 section 5.1: a record of type handshake(22), whose legacy version begins with 3. */
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;

const ECHO = 'ECHO ';
const NATIVE = 'PARTYLINE/';
/** RFC 9110 section 9.3, PATCH (RFC 5789), and the preface of HTTP/2 (RFC 9113 section 3.4). */
const METHODS = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'DELETE ', 'CONNECT ', 'OPTIONS ', 'TRACE ', 'PATCH ', 'PRI '];

// A byte order mark counts as what it is: three bytes that begin no protocol.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Undefined: too little has come to tell. Anything that is not one of the others is the line protocol. */
export function detect(first: Uint8Array): Spoken | undefined {
  if (first.length === 0) return undefined;
  if (first[0] === TLS_HANDSHAKE) {
    if (first.length === 1) return undefined;
    return first[1] === TLS_MAJOR ? 'tls' : 'line';
  }
  const head = utf8.decode(first.subarray(0, NATIVE.length));
  if (head.startsWith(ECHO)) return 'echo';
  if (head.startsWith(NATIVE)) return 'native';
  if (METHODS.some((method) => head.startsWith(method))) return detectRequestLine(first);
  return [ECHO, NATIVE, ...METHODS].some((word) => word.startsWith(head)) ? undefined : 'line';
}

/** `GET me out` may be what somebody answered to the name prompt; only a whole request line is HTTP. */
function detectRequestLine(first: Uint8Array): 'http' | 'line' | undefined {
  const end = first.indexOf(0x0a);
  if (end < 0) return first.length > MAX_REQUEST_LINE_BYTES ? 'http' : undefined;
  return isRequestLine(utf8.decode(first.subarray(0, end))) ? 'http' : 'line';
}

/** RFC 9110 section 9.1: a method is any token (section 5.6.2). */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^${TOKEN} .*\\S HTTP/\\d`);
const BEGINNING = new RegExp(`^${TOKEN} `);

/** RFC 9112 section 3: method, target, version. */
export function isRequestLine(line: string): boolean {
  return REQUEST_LINE.test(line);
}

/** Whether a line of which only the beginning is known may be a request line. No name has a space in it. */
export function beginsAsRequest(beginning: string): boolean {
  return BEGINNING.test(beginning);
}
