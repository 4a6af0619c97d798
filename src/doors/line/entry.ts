// How somebody comes in from the line protocol: a name, and where that name has an account, its password; or a code or
// token that says who it is. Until then nobody is there.

import type { Entrance } from '../../core/hub.ts';
import { parseName } from '../../core/name.ts';
import type { Member, Session } from '../../core/session.ts';
import { countedAs } from '../../net/limits.ts';
import type { Peer } from '../../net/peer.ts';
import { beginsAsRequest, isRequestLine } from '../../protocol/detect.ts';
import type { LineInput } from '../../protocol/line/decoder.ts';
import { PROMPT } from '../../protocol/line/prompt.ts';
import { formatError, PASSWORD_PROMPT } from '../../protocol/line/reply.ts';
import { parseRequest } from '../../protocol/line/request.ts';
import type { House } from './room.ts';
import { wordsForMalformed } from './translate.ts';
import { wordsForAccount, wordsForEntering, wordsForGuessing } from '../shared/words.ts';

/** Blanks around a name are the terminal's; anything else is the name's, and refused there. */
const EDGES = /^[ \t]+|[ \t]+$/g;
/** Wrong passwords and codes of one connection. sshd allows six (MaxAuthTries). */
const MAX_ATTEMPTS = 6;

/** Whoever leaves without one has no way back but another code. */
const NO_PASSWORD = 'the code is spent and there is no password yet: set one with "password" before you leave';

/** The connection that somebody comes in by. */
export interface Threshold {
  readonly peer: Peer;
  readonly entrance: Entrance;
  tell(text: string): void;
  comeIn(session: Session): void;
  /** Ends the connection without another word. */
  turnAway(): void;
  /** Nothing is read until it has settled. */
  hold(work: Promise<void>): void;
}

export class Entry {
  readonly #threshold: Threshold;
  readonly #house: House;
  /** Whose password was asked for. */
  #asked: Member | undefined;
  #attempts = 0;

  constructor(threshold: Threshold, house: House) {
    this.#threshold = threshold;
    this.#house = house;
  }

  handle(line: LineInput): void {
    // What a page makes a browser send here gets no further than its first line, however long or odd that is.
    if (typeof line === 'string' ? isRequestLine(line) : beginsAsRequest(line.begins))
      return this.#threshold.turnAway();
    if (typeof line !== 'string') {
      const isOverlong = line.malformed === 'overlong';
      this.#threshold.tell(formatError(wordsForMalformed(line)) + (isOverlong ? '' : this.#prompt));
      return isOverlong ? this.#threshold.turnAway() : undefined;
    }
    if (this.#asked !== undefined) return this.#threshold.hold(this.#check(this.#asked, line));
    const request = parseRequest(line);
    if (request.type === 'login') return this.#login(request.secret);
    return this.#name(line.replace(EDGES, ''), request.type === 'quit');
  }

  get #prompt(): string {
    return this.#asked === undefined ? PROMPT : PASSWORD_PROMPT;
  }

  /** `isQuit`: it is the command, unless somebody with an account is called so. */
  #name(name: string, isQuit: boolean): void {
    const { hub } = this.#house;
    const parsed = parseName(name);
    const member = 'refused' in parsed ? undefined : hub.directory.account(parsed.key);
    // The owner has a token; a password only if it has set one.
    const hasPassword = member?.account?.role !== 'owner' || member.account.password !== undefined;
    if (member !== undefined && hasPassword) {
      const plain = refusalOfPlain(this.#threshold.peer);
      if (plain !== undefined) return this.#refuse(plain);
      this.#asked = member;
      return this.#threshold.tell(PASSWORD_PROMPT);
    }
    if (isQuit) return this.#threshold.turnAway();
    const entered = hub.enter(name, this.#threshold.entrance);
    if (!('refused' in entered)) return this.#threshold.comeIn(entered);
    return this.#refuse(wordsForEntering(entered, name, this.#threshold.peer.address));
  }

  async #check(member: Member, password: string): Promise<void> {
    this.#asked = undefined;
    const { guesses, passwords, clock } = this.#house;
    const claim = { name: member.key, from: countedAs(this.#threshold.peer) };
    // An account that was revoked has no password any more, and costs the same time.
    const stored = member.account?.password;
    const verdict = await guesses.check(claim, clock(), () => passwords.verify(password, stored));
    if (typeof verdict === 'object') {
      return this.#fail(
        wordsForGuessing(verdict, `Cannot check the password of ${member.name}`),
        'password not checked',
      );
    }
    const isThere = member.account?.revokedAtMs === undefined;
    if (verdict === 'right' && isThere) return this.#comeInAs(member);
    if (verdict === 'busy') return this.#refuse('Cannot check the password now: too many are being checked; try again');
    return this.#fail(`Cannot come in as ${member.name}: the password is not right`, 'wrong password');
  }

  #login(secret: string): void {
    const { hub, accounts, owner, guesses, now, clock } = this.#house;
    const plain = refusalOfPlain(this.#threshold.peer);
    if (plain !== undefined) return this.#refuse(plain);
    const isOwner = owner.matches(secret) || owner.useTicket(secret, clock());
    const ownMember = this.#threshold.peer.isLoopback && isOwner ? hub.directory.owner() : undefined;
    if (ownMember !== undefined) return this.#comeInAs(ownMember);
    const bearer = accounts.bearerOf(secret, now());
    const from = countedAs(this.#threshold.peer);
    if (bearer === undefined) {
      if (guesses.wrongSecret(from, clock())) this.#attempts = MAX_ATTEMPTS;
      return this.#fail('Cannot log in: the code or token is not valid', 'wrong token');
    }
    if (bearer.kind === 'account') {
      guesses.cameIn({ name: bearer.member.key, from });
      return this.#comeInAs(bearer.member, bearer.token);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#threshold.hold(promise);
    return accounts.accept(bearer.invite, {
      nowMs: now(),
      done: (answer) => {
        if ('refused' in answer) this.#refuse(wordsForAccount(answer, 'Cannot log in'));
        else {
          this.#comeInAs(answer);
          if (answer.account?.password === undefined) this.#threshold.tell(`You are ${answer.name}; ${NO_PASSWORD}\n`);
        }
        resolve();
      },
    });
  }

  #comeInAs(member: Member, token?: number): void {
    this.#threshold.comeIn(this.#house.hub.enterAs(member, { ...this.#threshold.entrance, token }));
  }

  #fail(reason: string, event: string): void {
    const { address, port } = this.#threshold.peer;
    this.#house.log.warn(event, { address, port });
    if (++this.#attempts < MAX_ATTEMPTS) return this.#refuse(reason);
    this.#threshold.tell(formatError(reason));
    return this.#threshold.turnAway();
  }

  #refuse(reason: string): void {
    this.#threshold.tell(formatError(reason) + PROMPT);
  }
}

/** Why no secret is taken from this connection; undefined: it may be given. */
export function refusalOfPlain({ isLoopback, isEncrypted, address }: Peer): string | undefined {
  return isLoopback || isEncrypted
    ? undefined
    : `Cannot log in from ${address}: this connection is plain text, and what was sent may have been read on the way`;
}
