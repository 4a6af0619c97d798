// What a session of the line door asks, carried out: everything but what ends the connection.

import type { GroupChanged } from '../../core/event.ts';
import type { Answer } from '../../core/hub.ts';
import { judgePassword } from '../../core/password.ts';
import { roleOf } from '../../core/rights.ts';
import { RIGHTS_OVER } from '../../core/run/why.ts';
import type { Session } from '../../core/session.ts';
import { countedAs } from '../../net/limits.ts';
import {
  formatError,
  formatGroups,
  formatIdentity,
  formatList,
  formatReceipt,
  NEW_PASSWORD_PROMPT,
} from '../../protocol/line/reply.ts';
import { formatHelp } from '../../protocol/line/help.ts';
import type { LineRequest } from '../../protocol/line/request.ts';
import { personIn } from '../shared/places.ts';
import { answerApproval, type Asked, type UnderWay } from './approvals.ts';
import { refusalOfPlain } from './entry.ts';
import { LIMITS } from './limits.ts';
import { findPast, readPast } from './past.ts';
import { listRuns } from './past-runs.ts';
import { share } from '../shared/sharing.ts';
import { wordsForSharing } from '../shared/words-share.ts';
import type { House, LineRoom } from './room.ts';
import { LineRuns, type RunsAsker } from './runs.ts';
import { wordsForMisuse } from './translate.ts';
import { isAboutGroups, wordsForAccount, wordsForGroup, wordsForPassword, wordsForSending } from '../shared/words.ts';

/** The connection that asks. */
export interface Asker extends RunsAsker {
  /** Nothing more is read until this has settled. */
  hold(work: Promise<void>): void;
  wantIds(wantsIds: boolean): void;
  quit(): void;
}

function wordsForChange({ type, group, machine }: GroupChanged): string {
  if (machine === undefined) return `${type === 'joined' ? 'Joined' : 'Left'} ${group}\n`;
  return `${machine} has ${type} ${group}\n`;
}

export class Commands {
  readonly #asker: Asker;
  readonly #session: Session;
  readonly #house: House;
  /** Made when it is needed: most who talk run nothing. */
  #runs: LineRuns | undefined;
  /** The next line is the new password. */
  #isAskingPassword = false;
  /** One for all that it asks of the hub. */
  readonly #done = (answer: Answer) => {
    this.#tellAnswer(answer);
    this.#asker.answered();
  };

  constructor(asker: Asker, session: Session, { house }: Pick<LineRoom, 'house'>) {
    this.#asker = asker;
    this.#session = session;
    this.#house = house;
  }

  get runs(): ReadonlySet<UnderWay> | undefined {
    return this.#runs?.all;
  }

  /** Nothing more comes from whoever asks. */
  leave(): void {
    this.#runs?.leave();
  }

  #ownRuns(): LineRuns {
    this.#runs ??= new LineRuns(this.#asker, this.#session, this.#house);
    return this.#runs;
  }

  /** Whether the line is meant for this, whatever it says. */
  takesAsIs(line: string): boolean {
    if (!this.#isAskingPassword) return false;
    this.#isAskingPassword = false;
    this.#asker.hold(this.#changePassword(line));
    return true;
  }

  carryOut(request: LineRequest): void {
    const { hub, now } = this.#house;
    switch (request.type) {
      case 'nothing':
        return;
      case 'get_list':
        return this.#asker.tell(formatList(hub.list(), now()));
      case 'send':
      case 'join':
      case 'leave': {
        this.#asker.begin();
        return hub.handle(this.#session, request, { nowMs: now(), done: this.#done });
      }
      case 'groups':
        return this.#asker.tell(formatGroups(this.#groups()));
      case 'history':
        return this.#asker.hold(this.#tellPast(readPast(this.#house, hub.readerOf(this.#session), request)));
      case 'search':
        return this.#asker.hold(
          this.#tellPast(findPast(this.#house.journal, hub.readerOf(this.#session), request.words)),
        );
      case 'receipts':
        this.#session.wantsReceipts = request.isOn;
        this.#asker.wantIds(request.isOn);
        return this.#asker.tell(`Receipts are ${request.isOn ? 'on' : 'off'}\n`);
      case 'login':
        return this.#login(request.secret);
      case 'password':
        return this.#askPassword();
      case 'run':
        return this.#ownRuns().run(request);
      case 'confirm':
        return this.#ownRuns().confirm(request.count);
      case 'runs':
        return this.#asker.hold(this.#tellPast(listRuns(this.#house, this.#session)));
      case 'share':
        return this.#asker.hold(this.#share(request));
      case 'approvals':
      case 'approve':
      case 'deny':
        return this.#asker.tell(this.#answerApproval(request));
      case 'whoami':
        return this.#asker.tell(this.#whoAmI());
      case 'limits':
        return this.#asker.tell(LIMITS);
      case 'help':
        return this.#asker.tell(formatHelp(request.about));
      case 'quit':
        return this.#asker.quit();
      case 'misused':
      case 'unknown':
        return this.#asker.tell(formatError(wordsForMisuse(request)));
    }
  }

  async #share({ id, to }: Extract<LineRequest, { type: 'share' }>): Promise<void> {
    const shared = await share(this.#house, this.#session, { id, to });
    if (!('refused' in shared)) {
      this.#asker.tell(`Shared run ${id} with ${to === 'all' ? to : to.join(' ')}\n`);
      return this.#tellAnswer(shared);
    }
    const isOfRun = shared.refused === 'unknown-record' || shared.refused === 'unreadable';
    this.#asker.tell(formatError(isOfRun ? wordsForSharing(shared) : wordsForSending(shared)));
  }

  #answerApproval(request: Asked): string {
    const person = personIn(this.#house.hub, this.#session);
    if (person.key !== undefined) return answerApproval(request, { person, house: this.#house });
    const why = 'it takes an account, and a guest has none; whoever has one shows it with login TOKEN';
    return formatError(`Cannot approve or deny anything as ${person.name}: ${why}`);
  }

  #tellAnswer(answer: Answer): void {
    if ('refused' in answer) {
      const words = isAboutGroups(answer) ? wordsForGroup(answer) : wordsForSending(answer);
      return this.#asker.tell(formatError(words));
    }
    if (answer.type !== 'receipt') return this.#asker.tell(wordsForChange(answer));
    return this.#session.wantsReceipts ? this.#asker.tell(formatReceipt(answer.id, answer.outcomes)) : undefined;
  }

  #whoAmI(): string {
    const { hub } = this.#house;
    const { member } = this.#session;
    const by = hub.rights.of(this.#session);
    const rightsOf = by === member ? undefined : { name: by.name, role: roleOf(by) };
    return formatIdentity({ name: member.name, role: roleOf(member), rightsOf }, hub.serverName);
  }

  #groups() {
    return Array.from(this.#house.hub.directory.groups, ({ name, members }) => ({
      name,
      members: Array.from(members, (member) => member.name),
    }));
  }

  async #tellPast(words: Promise<string>): Promise<void> {
    this.#asker.tell(await words);
  }

  /** A later login raises the session's rights and keeps its name. */
  #login(secret: string): void {
    const { hub, accounts, owner, guesses, log, now, clock } = this.#house;
    const { address, port, isLoopback } = this.#asker.peer;
    const plain = refusalOfPlain(this.#asker.peer);
    if (plain !== undefined) return this.#asker.tell(formatError(plain));
    const bearer = accounts.bearerOf(secret, now());
    if (bearer?.kind === 'invited') {
      const reason = 'Cannot log in here with an invitation: come in anew and give it instead of a name';
      return this.#asker.tell(formatError(reason));
    }
    const by = isLoopback && owner.matches(secret) ? hub.directory.owner() : bearer?.member;
    if (by === undefined) {
      log.warn('wrong token', { address, port });
      this.#asker.tell(formatError('Cannot log in: the token is not valid'));
      return guesses.wrongSecret(countedAs(this.#asker.peer), clock()) ? this.#asker.quit() : undefined;
    }
    const own = this.#session.member.name;
    hub.rights.raise(this.#session, {
      by,
      token: bearer?.token,
      onOver: () => {
        // What it may not start it may not go on with either.
        for (const run of this.runs ?? []) run.cancel(RIGHTS_OVER);
        this.#asker.tell(`${own} has the rights of ${by.name} no longer: they were taken back\n`);
      },
    });
    return this.#asker.tell(`${own} has the rights of ${by.name} until this connection ends\n`);
  }

  #askPassword(): void {
    const plain = refusalOfPlain(this.#asker.peer);
    if (plain !== undefined) return this.#asker.tell(formatError(plain));
    if (this.#session.member.account === undefined) {
      return this.#asker.tell(formatError(wordsForAccount({ refused: 'no-account' }, 'Cannot set a password')));
    }
    this.#isAskingPassword = true;
    return this.#asker.tell(NEW_PASSWORD_PROMPT);
  }

  async #changePassword(text: string): Promise<void> {
    const judged = judgePassword(text);
    if ('refused' in judged) return this.#asker.tell(formatError(wordsForPassword(judged)));
    const hashed = await this.#house.passwords.hash(judged.password);
    if ('refused' in hashed)
      return this.#asker.tell(formatError('Cannot set a password now: too many are being checked; try again'));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#house.accounts.setPassword(this.#session.member, hashed.stored, (answer) => {
      this.#asker.tell(
        answer === 'changed' ? 'The password is set\n' : formatError(wordsForAccount(answer, 'Cannot set a password')),
      );
      resolve();
    });
    return await promise;
  }
}
