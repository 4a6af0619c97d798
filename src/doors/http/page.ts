// The page that the link of an invitation leads to. The code stands behind `#`, which no browser sends: so nothing here
// knows it, looking uses nothing up, and without a script the page cannot show it. It says what to do with it.

export interface Called {
  /** As the request's `Host` has it: a name or an address, with or without a port. */
  readonly host: string;
  readonly isEncrypted: boolean;
  readonly isLoopback: boolean;
  readonly serverName: string;
}

/** Nothing is loaded, sent or framed, and nobody whom a link leads to hears of the address. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
};

export function invitationPage({ host, isEncrypted, isLoopback, serverName }: Called): string {
  const [, name = host, port = isEncrypted ? '443' : '80'] = /^(.*?)(?::(\d{1,5}))?$/.exec(host) ?? [];
  // Where plain text would be refused, the same port takes TLS.
  const nc = isEncrypted || !isLoopback ? 'ncat --ssl' : 'nc';
  const server = escapeHtml(serverName);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>${server}</title>
<h1>${server}</h1>
<p>This is a Partyline server. If somebody sent you a link to this page, you are invited: your code is what stands behind
<code>#code=</code> in its address. It counts once; looking at this page has not used it, and has told it to nobody.</p>
<p>With the <code>partyline</code> program, which asks for a password and then knows you:</p>
<pre>partyline login --host ${isEncrypted && isLoopback ? 'tls://' : ''}${escapeHtml(`${name}:${port}`)} --code CODE</pre>
<p>Or in a terminal, and there type <code>login CODE</code>:</p>
<pre>${nc} ${escapeHtml(name.replace(/^\[|\]$/g, ''))} ${port}</pre>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For text and for attributes in double quotes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
