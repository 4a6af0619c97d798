// What a session of the line door asks, carried out: everything but what ends the connection.

import type { Answer } from '../../core/hub.ts';
import { placesFor } from '../../core/run/policy.ts';
import { judgePassword } from '../../core/password.ts';
import type { GroupRefusal, NotStored } from '../../core/refusal.ts';
import { starterOf } from '../../core/run/starter.ts';
import type { Session } from '../../core/session.ts';
import { countedAs } from '../../net/limits.ts';
import type { Peer } from '../../net/peer.ts';
import {
  formatError,
  formatGroups,
  formatHelp,
  formatList,
  formatReceipt,
  NEW_PASSWORD_PROMPT,
} from '../../protocol/line/reply.ts';
import type { LineRequest } from '../../protocol/line/request.ts';
import { announceCommand } from '../announce.ts';
import { refusalOfPlain } from './entry.ts';
import { LIMITS, MAX_RUNS } from './limits.ts';
import { findPast, readPast } from './past.ts';
import type { House, LineRoom } from './room.ts';
import { LineRun, type RunListener } from './run.ts';
import { toAskedCommand, wordsForMisuse, wordsForRunning } from './translate.ts';
import { fieldsOfDenied, recordOfDenied, type Denied } from '../words-run.ts';
import { wordsForAccount, wordsForGroup, wordsForPassword, wordsForSending } from '../words.ts';

/** The connection that asks. */
export interface Asker extends RunListener {
  readonly peer: Peer;
  tell(text: string): void;
  /** One more answer is under way. */
  begin(): void;
  /** It has been given. */
  answered(): void;
  /** Nothing more is read until this has settled. */
  hold(work: Promise<void>): void;
  wantIds(wantsIds: boolean): void;
  quit(): void;
  runEnded(): void;
}

export class Commands {
  readonly #asker: Asker;
  readonly #session: Session;
  readonly #house: House;
  #runs: Set<LineRun> | undefined;
  /** The next line is the new password. */
  #isAskingPassword = false;

  constructor(asker: Asker, session: Session, { house }: Pick<LineRoom, 'house'>) {
    this.#asker = asker;
    this.#session = session;
    this.#house = house;
  }

  get runs(): ReadonlySet<LineRun> | undefined {
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
        return hub.handle(this.#session, request, {
          nowMs: now(),
          done: (answer) => {
            this.#tellAnswer(answer);
            this.#asker.answered();
          },
        });
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
        return this.#run(request);
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

  #tellAnswer(answer: Answer): void {
    if ('refused' in answer) {
      const words = isAboutGroups(answer) ? wordsForGroup(answer) : wordsForSending(answer);
      return this.#asker.tell(formatError(words));
    }
    if (answer.type !== 'receipt')
      return this.#asker.tell(`${answer.type === 'joined' ? 'Joined' : 'Left'} ${answer.group}\n`);
    return this.#session.wantsReceipts ? this.#asker.tell(formatReceipt(answer.id, answer.outcomes)) : undefined;
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
    hub.raise(this.#session, {
      by,
      token: bearer?.token,
      onOver: () => {
        // What it may not start it may not go on with either.
        for (const run of this.#runs ?? []) run.cancel();
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

  #run({ targets, command: line }: { targets: string; command: string }): void {
    const { hub, log, runner, hosts, policy, records } = this.#house;
    const { role, member } = this.#session;
    const { address } = this.#asker.peer;
    const { serverName, directory } = hub;
    const { account, key } = hub.actsAs(this.#session);
    const starter = starterOf(this.#session, { hub, address });
    const denied = { by: member.name, role, command: toAskedCommand(line) };
    const found = placesFor(
      targets,
      { role, key: account === undefined ? undefined : key, command: denied.command },
      { serverName, runner, hosts, directory, policy, isPresent: (one) => hub.isPresent(one) },
    );
    if ('refused' in found) {
      if (found.refused === 'not-allowed') {
        log.warn('command not allowed', { ...fieldsOfDenied(found, denied), address });
        // A guest is nobody, and fills no disk.
        if (role !== 'guest') records.refuse({ run: records.newRun(), starter, ...recordOfDenied(found, denied) });
      }
      return this.#asker.tell(formatError(wordsForRunning(found, denied)));
    }
    const { places, command = { kind: 'shell', line } } = found;
    const runs = (this.#runs ??= new Set());
    if (runs.size + places.length > MAX_RUNS) {
      const why = `${runs.size} commands of this session are running, ${MAX_RUNS} are the most; nothing was started`;
      return this.#asker.tell(formatError(`Cannot run: ${why}`));
    }
    const run = records.newRun();
    for (const { name: host, runner: place } of places) {
      if (place === undefined) {
        records.refuse({ run, starter, hosts: [host], command, result: { result: 'offline', status: null } });
        this.#asker.tell(`${wordsForRunning({ refused: 'offline', name: host }, denied)}\n`);
        continue;
      }
      const started = records.start({
        run,
        starter,
        host,
        command,
        start: (recordsHead) => {
          log.tell(announceCommand(command, { by: member.name, address, host }));
          return place.start({ command, env: {}, recordsHead });
        },
      });
      const shown = new LineRun(started.run, host, this.#asker);
      runs.add(shown);
      void this.#follow(shown, { recorded: started.recorded, denied });
    }
  }

  async #follow(run: LineRun, { recorded, denied }: Following): Promise<void> {
    const refused = await recorded;
    if (refused === undefined) await run.finished();
    else this.#asker.tell(formatError(wordsForRunning(refused, denied)));
    this.#runs?.delete(run);
    this.#asker.runEnded();
  }
}

interface Following {
  readonly recorded: Promise<NotStored | undefined>;
  readonly denied: Denied;
}

type Refused = Extract<Answer, { refused: string }>;

function isAboutGroups(refusal: Refused): refusal is GroupRefusal {
  return refusal.refused.includes('group');
}
