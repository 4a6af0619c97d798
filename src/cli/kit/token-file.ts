// The file that PARTYLINE_TOKEN_FILE names: an account's token, or the owner token of a server on this machine.

import { readSecretFile } from '../../config/credentials.ts';

/** An account's token is longer than an owner token, which may begin with the same letters. */
const ACCOUNT_TOKEN = /^pl_[A-Za-z0-9_-]{43}$/;
const OWNER_TOKEN = /^[A-Za-z0-9_-]{43}$/;

export type InTokenFile =
  | { readonly token: string }
  /** It is proven from the file, and never sent. */
  | { readonly ownerTokenFile: string }
  | { readonly refused: string };

/** Undefined: no file is named. */
export function givenToken(environment = process.env): InTokenFile | undefined {
  const path = environment['PARTYLINE_TOKEN_FILE'];
  return path ? tokenIn(path) : undefined;
}

function tokenIn(path: string): InTokenFile {
  const no = (why: string) => ({ refused: `Cannot use the token in ${path}: ${why}` });
  const text = readSecretFile(path);
  if (text === undefined) return no('it does not exist');
  if (typeof text === 'object') return text;
  if (ACCOUNT_TOKEN.test(text)) return { token: text };
  if (OWNER_TOKEN.test(text)) return { ownerTokenFile: path };
  return text.startsWith('{')
    ? no(
        'partyline login keeps it for one server, and it is used there when PARTYLINE_TOKEN_FILE is not set; ' +
          'for a program: partyline token new USE --out FILE',
      )
    : no('it holds neither the token of an account nor an owner token');
}
