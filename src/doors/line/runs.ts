// The commands of one session at the line door: started at once, or once somebody else has approved them.

import type { RunCommand, RunRequest } from '../../core/ports.ts';
import type { Approved, Person, UseRefusal } from '../../core/run/approval.ts';
import type { NotStored } from '../../core/refusal.ts';
import type { NeedsApproval, Places } from '../../core/run/policy.ts';
import { PLAIN, type Starter } from '../../core/run/record.ts';
import { starterOf } from '../../core/run/starter.ts';
import type { Session } from '../../core/session.ts';
import type { Peer } from '../../net/peer.ts';
import { formatError } from '../../protocol/line/reply.ts';
import { announceCommand } from '../shared/announce.ts';
import { askFor, type Told } from '../shared/asking.ts';
import { lookUp, personIn } from '../shared/places.ts';
import { wordsForApproval, wordsForAsking, wordsForDecision, wordsForWaiting } from '../shared/words-approval.ts';
import type { Denied } from '../shared/words-run.ts';
import { LineAsk, type UnderWay } from './approvals.ts';
import { Confirmation, namesOf, wordsForPlaces, type RunWish } from './confirmation.ts';
import { MAX_RUNS } from './limits.ts';
import type { House } from './room.ts';
import { LineRun, type RunListener } from './run.ts';
import { toAskedCommand, wordsForRunning } from './translate.ts';

/** The connection that asks. */
export interface RunsAsker extends RunListener {
  readonly peer: Peer;
  /** One more answer is under way. */
  begin(): void;
  /** It has been given. */
  answered(): void;
  runEnded(): void;
}

interface Wish {
  readonly targets: string;
  readonly person: Person;
  /** Whose run it is on record: rights that were lent may be gone when it starts. */
  readonly starter: Starter;
  readonly denied: Denied;
}

interface Starting extends Pick<Wish, 'starter' | 'denied'> {
  /** Asked of each machine, where somebody else had to approve. */
  readonly use?: (host: string) => Approved | UseRefusal;
}

export class LineRuns {
  readonly #asker: RunsAsker;
  readonly #session: Session;
  readonly #house: House;
  readonly #all = new Set<UnderWay>();
  readonly #confirmation: Confirmation;

  constructor(asker: RunsAsker, session: Session, house: House) {
    this.#asker = asker;
    this.#session = session;
    this.#house = house;
    this.#confirmation = new Confirmation(house.clock);
  }

  /** Commands, and those that wait for somebody to approve them. */
  get all(): ReadonlySet<UnderWay> {
    return this.#all;
  }

  run(wish: RunWish): void {
    this.#confirmation.drop();
    this.#run(wish, undefined);
  }

  /** That many machines are meant, and what was asked for last is to run there. */
  confirm(count: number): void {
    const confirmed = this.#confirmation.confirm(count);
    if (typeof confirmed === 'string') return this.#asker.tell(formatError(`Cannot confirm: ${confirmed}`));
    return this.#run(confirmed.wish, confirmed.names);
  }

  /** What waits to be confirmed never will be. */
  leave(): void {
    const dropped = this.#confirmation.drop();
    if (dropped !== undefined) this.#asker.tell(formatError(`Cannot run: ${dropped}`));
  }

  #run({ targets, command: line }: RunWish, confirmed: readonly string[] | undefined): void {
    const person = personIn(this.#house.hub, this.#session);
    const denied = { by: this.#session.member.name, role: person.role, command: toAskedCommand(line), setting: PLAIN };
    const starter = starterOf(this.#session, { hub: this.#house.hub, address: this.#asker.peer.address });
    const wish = { targets, person, starter, denied };
    const found = lookUp(this.#house, wish);
    const needed = 'refused' in found && found.refused === 'needs-approval' ? found : undefined;
    const meant = needed?.places ?? found;
    if ('refused' in meant) return this.#asker.tell(formatError(wordsForRunning(meant, denied)));
    if (this.#isFull(meant.places.length)) return;
    if (this.#isToBeConfirmed({ targets, command: line }, { meant, confirmed })) return;
    return needed === undefined ? this.#start(meant, wish) : this.#ask(needed, wish);
  }

  /** Says which machines are meant, where that is more than one name says, and whether nothing starts yet. */
  #isToBeConfirmed(wish: RunWish, { meant, confirmed }: Meant): boolean {
    const { places } = meant;
    if (confirmed !== undefined) {
      if (confirmed.join() === namesOf(places).join()) return false;
      const now = `other machines are meant by now: ${wordsForPlaces(places)}`;
      this.#asker.tell(formatError(`Cannot run: ${now}; nothing was started`));
      return true;
    }
    const { words, waits } = this.#confirmation.show(wish, meant);
    if (words !== '') this.#asker.tell(words);
    return waits;
  }

  #start({ places, command }: Places, { starter, denied, use }: Starting): void {
    const { log, records } = this.#house;
    if (command === undefined) return;
    const run = records.newRun();
    for (const { name: host, runner } of places) {
      if (runner === undefined) {
        const result = { result: 'offline', status: null } as const;
        records.refuse({ run, starter, hosts: [host], command, setting: PLAIN, result });
        this.#asker.tell(`${wordsForRunning({ refused: 'offline', name: host }, denied)}\n`);
        continue;
      }
      const approved = use?.(host);
      if (approved !== undefined && 'refused' in approved) {
        this.#asker.tell(formatError(wordsForApproval(approved, `Cannot run the command on ${host}`)));
        continue;
      }
      const started = records.start({
        run,
        starter,
        approved,
        host,
        command,
        setting: PLAIN,
        start: (recordsHead) => {
          const { address } = starter;
          log.tell(announceCommand(command, { by: denied.by, address, host, approvedBy: approved?.by }));
          return runner.start({ ...requestOf(command), recordsHead });
        },
      });
      const shown = new LineRun(started.run, host, this.#asker);
      this.#all.add(shown);
      void this.#follow(shown, { recorded: started.recorded, denied });
    }
  }

  async #follow(run: LineRun, { recorded, denied }: Following): Promise<void> {
    const refused = await recorded;
    if (refused === undefined) await run.finished();
    else this.#asker.tell(formatError(wordsForRunning(refused, denied)));
    this.#all.delete(run);
    this.#asker.runEnded();
  }

  /** Says so if as many more would be too many. */
  #isFull(more: number): boolean {
    const { size } = this.#all;
    if (size + more <= MAX_RUNS) return false;
    const why = `${size} commands of this session are running, ${MAX_RUNS} are the most; nothing was started`;
    this.#asker.tell(formatError(`Cannot run: ${why}`));
    return true;
  }

  /** Those who may approve are told; what was typed starts when one of them has. */
  #ask({ places: found, approvers }: NeedsApproval, wish: Wish): void {
    const { hub, approvals, now } = this.#house;
    const { places, command } = found;
    const { person, starter } = wish;
    if (command === undefined) return;
    const asked = { by: person.name, hosts: places.map(({ name }) => name), request: requestOf(command) };
    const owner = new LineAsk(approvals);
    // From now on, so that a connection that goes before the message is stored takes its request with it.
    this.#all.add(owner);
    this.#asker.begin();
    askFor({ hub, approvals, session: this.#session, now, person, asked, owner, starter, approvers }, (answer) => {
      if ('refused' in answer) {
        this.#all.delete(owner);
        this.#asker.tell(formatError(wordsForAsking(answer)));
      } else {
        this.#asker.tell(`${wordsForWaiting(answer)}\n`);
        void this.#await(owner, { answer, command, wish });
      }
      this.#asker.answered();
    });
  }

  async #await(owner: LineAsk, { answer, command, wish }: Waiting): Promise<void> {
    const { id } = answer.approval;
    const decision = await owner.decided(id);
    this.#all.delete(owner);
    if (decision.how === 'approved') this.#startApproved(owner, { answer, command, wish });
    else this.#asker.tell(formatError(`Cannot run the command: request ${id} ${wordsForDecision(decision)}`));
    this.#house.approvals.leave(owner);
    this.#asker.runEnded();
  }

  /** Policy and machines may have changed meanwhile; what is started may not. */
  #startApproved(owner: LineAsk, { answer, command, wish }: Waiting): void {
    const { approvals } = this.#house;
    const { id, asked } = answer.approval;
    const { person, starter } = wish;
    // A session that has seen its end is told of no such thing.
    if (person.member.account?.revokedAtMs !== undefined) return;
    const denied = { ...wish.denied, command };
    const looked = lookUp(this.#house, { ...wish, denied });
    const isNeeded = 'refused' in looked && looked.refused === 'needs-approval';
    const found = isNeeded ? looked.places : looked;
    if ('refused' in found) return this.#asker.tell(formatError(wordsForRunning(found, denied)));
    if (this.#isFull(found.places.length)) return;
    const approvers = isNeeded ? looked.approvers : [];
    this.#start(
      { ...found, command },
      { starter, denied, use: (host) => approvals.use(id, { owner, host, asked, approvers }) },
    );
  }
}

interface Meant {
  readonly meant: Places;
  /** What they were when somebody typed how many they are. */
  readonly confirmed: readonly string[] | undefined;
}

interface Following {
  readonly recorded: Promise<NotStored | undefined>;
  readonly denied: Denied;
}

interface Waiting {
  readonly answer: Told;
  readonly command: RunCommand;
  readonly wish: Wish;
}

/** All that is started, but where. */
function requestOf(command: RunCommand): RunRequest {
  return { command, env: {} };
}
