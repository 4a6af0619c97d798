// A client of a server: says, hears, looks back, and sees to accounts; over a connection that comes back when it is lost.

import { accountInvite, accountPassword, accountRevoke } from '../protocol/native/methods/account.ts';
import { approvalDeny, approvalGive, approvalList, approvalShow } from '../protocol/native/methods/approval.ts';
import { chatSend, runShare } from '../protocol/native/methods/chat.ts';
import { groupJoin, groupLeave } from '../protocol/native/methods/group.ts';
import { hostResolve } from '../protocol/native/methods/host.ts';
import { chatHistory, chatSearch } from '../protocol/native/methods/past.ts';
import { runDetach, runEnd } from '../protocol/native/methods/detached.ts';
import { runList, runOutput, runShow } from '../protocol/native/methods/records.ts';
import { serverListening } from '../protocol/native/methods/server.ts';
import { tokenCreate, tokenList, tokenRemove } from '../protocol/native/methods/token.ts';
import type {
  Accounts,
  Detached,
  Found,
  Group,
  Host,
  Invitation,
  Listening,
  Present,
  Request,
  Resolved,
  ResultOf,
  RunDetails,
  Sent,
  Token,
  Waiting,
} from './answers.ts';
import { CommandRun, type RunOptions } from './command-run.ts';
import type { CameInBy, CredentialChoice, Identity } from './credential.ts';
import { ClosedError } from './errors.ts';
import { readHistory, type HistoryWishes } from './history.ts';
import { Inbox, type Message, type Reading } from './inbox.ts';
import { Link, type ConnectionState, type LinkOptions } from './link.ts';
import { mustKnow } from './options.ts';
import { approvedFor } from './approved.ts';
import { runMany, type HostResult, type ManyOptions } from './many.ts';
import { listAccounts, listGroups, listHosts, listPresent, type AskList } from './pages.ts';
import { readOutput, readRun, type OutputPlace } from './records.ts';
import { Requests } from './requests.ts';
import { Running, Together } from './running.ts';
import { Watch, type AttachOptions } from './watch.ts';
import { commandOf, wishesOf, type DetachOptions, type Inviting, type What, type Where } from './wishes.ts';
import type { Surroundings } from './wire.ts';
import type { World } from './world.ts';

export interface ClientOptions extends LinkOptions {
  readonly onConnection?: ((state: ConnectionState) => void) | undefined;
}

/** Asking twice does what asking once does. */
const AGAIN = { mayRepeat: true } as const;
/** What it would do the second time is something else: an answer that is lost stays lost. */
const ONCE = { mayRepeat: false } as const;

export class Client implements AsyncDisposable {
  readonly #link: Link;
  readonly #world: World;
  readonly #requests = new Requests();
  readonly #inbox = new Inbox();
  readonly #running = new Running();
  readonly #askList: AskList = (method, page) => this.#requests.ask(method, page, AGAIN);

  private constructor(options: ClientOptions) {
    this.#link = new Link(options);
    this.#world = options.world;
  }

  /** Connects once, and comes in. Later losses are mended by the client itself. */
  static async open(options: ClientOptions, signal?: AbortSignal): Promise<Client> {
    const client = new Client(options);
    const tell = options.onConnection ?? (() => {});
    await client.#link.open(
      {
        onConnected: (wire) => {
          client.#inbox.attach(wire);
          client.#requests.attach(wire);
          client.#running.attach(wire);
          tell({ state: 'connected' });
        },
        onLost: (reason) => {
          client.#inbox.detach();
          client.#requests.detach();
          client.#running.detach();
          tell({ state: 'lost', reason });
        },
        onOver: (error) => {
          client.#end(error);
          tell({ state: 'over', error });
        },
      },
      signal,
    );
    return client;
  }

  /** Who the server says we are; undefined without a credential. */
  get identity(): Identity | undefined {
    return this.#link.identity;
  }

  /** Of the credentials the one that counted, the last time. */
  get cameInBy(): CameInBy | undefined {
    return this.#link.cameInBy;
  }

  /** What to come in with the next time: a code has become a token. */
  get credential(): CredentialChoice {
    return this.#link.credential;
  }

  /** The other end, as it is known here. */
  get server(): (Surroundings & { readonly serverName: string }) | undefined {
    return this.#link.surroundings;
  }

  // ── talking ──

  /**
   * To one, to several, to a `#group`, to `all`. Settles when it is stored for good. With a key of one's own a message is
   * the same message in a later run of the program too; without it, one is made that covers lost connections.
   */
  async send(to: string | readonly string[], text: string, options: { readonly key?: string } = {}): Promise<Sent> {
    mustKnow('send', options);
    const { key = this.#world.newKey() } = options;
    return this.#requests.ask(chatSend, { to: typeof to === 'string' ? [to] : to, text, key }, AGAIN);
  }

  /**
   * What we are sent, each message once, also over lost connections. It counts as read when the next one is asked for or
   * the loop is left; whatever was not read comes again the next time. One loop at a time.
   */
  messages(reading: Reading = {}): AsyncIterableIterator<Message> & AsyncDisposable {
    mustKnow('messages', reading);
    return this.#inbox.open(reading);
  }

  /** For `acknowledge: 'by-hand'`: everything up to this message has been dealt with. */
  acknowledge(id: number): void {
    this.#inbox.acknowledge(id);
  }

  /** Who is here, in order of arrival; of a list that is longer than one answer, to the millisecond. */
  async list(): Promise<readonly Present[]> {
    return await listPresent(this.#askList);
  }

  /** What we said and were told, oldest first, read as the loop goes on. */
  history(wishes: HistoryWishes = {}): AsyncGenerator<Message, void, undefined> {
    mustKnow('history', wishes);
    return readHistory((page) => this.#requests.ask(chatHistory, page, AGAIN), wishes);
  }

  /**
   * The newest messages with all these words, oldest first, and whether there are more before them. Where it says
   * `before`, that took long, and what came before has not been looked at: ask again with it.
   */
  search(words: string, wishes: { readonly before?: number; readonly limit?: number } = {}): Promise<Found> {
    mustKnow('search', wishes);
    return this.#requests.ask(chatSearch, { words, ...wishes }, AGAIN);
  }

  /** The machines that have joined, connected or not. */
  async hosts(): Promise<readonly Host[]> {
    return await listHosts(this.#askList);
  }

  /** Those that targets mean; with a command only where that may run on all of them. */
  resolve(targets: string, command?: What & Pick<Where, 'cwd'>): Promise<Resolved> {
    const what = command === undefined ? {} : { command: commandOf(command) };
    const cwd = command?.cwd === undefined ? {} : { cwd: command.cwd };
    return this.#requests.ask(hostResolve, { targets, ...what, ...cwd }, AGAIN);
  }

  // ── running ──

  /** Runs a command, at once or as soon as there is a connection; it ends with the connection. */
  run(options: RunOptions): CommandRun {
    mustKnow('run', options);
    return this.#start(options);
  }

  /** On many machines, as one run on record: how it went on each, as soon as that is known. */
  runMany(options: ManyOptions): AsyncGenerator<HostResult, void, undefined> {
    mustKnow('runMany', options);
    const together = new Together();
    return runMany(options, {
      meant: async () => {
        const { hosts, needsApproval } = await this.resolve(options.on, options);
        if (needsApproval !== true) return { hosts: hosts.map(({ name }) => name) };
        return await approvedFor(options, this.#running);
      },
      start: (each, approval) => this.#start(each, { together, approval }),
    });
  }

  /** Starts a command that goes on without this client, on one machine; `record` is what `attach` takes. */
  detach(options: DetachOptions): Promise<Detached> {
    mustKnow('detach', options);
    const { takesInput } = options;
    const input = takesInput === undefined ? {} : { takesInput };
    return this.#requests.ask(runDetach, { ...wishesOf(options), ...input }, ONCE);
  }

  /** Shows what a detached run has said and says, also over lost connections. */
  attach(record: number, options: AttachOptions = {}): Watch {
    mustKnow('attach', options);
    return new Watch({ id: record, options, running: this.#running, world: this.#world });
  }

  // ── runs on record ──

  /** Our own, or for the owner all; oldest first, the newest that there are, and whether there are more before them. */
  runs(wishes: { readonly before?: number; readonly limit?: number } = {}): Promise<ResultOf<typeof runList>> {
    mustKnow('runs', wishes);
    return this.#requests.ask(runList, wishes, AGAIN);
  }

  /** One of them, with how it went on each of its hosts. */
  showRun(id: number): Promise<RunDetails> {
    return readRun((page) => this.#requests.ask(runShow, page, AGAIN), id);
  }

  /** What is kept of an output, in pieces; `host` is its place among the run's results. */
  output(id: number, of: OutputPlace): AsyncGenerator<Uint8Array, void, undefined> {
    return readOutput((page) => this.#requests.ask(runOutput, page, AGAIN), { id, ...of });
  }

  /** Ends a detached run wherever it goes on. */
  async endRun(id: number): Promise<ResultOf<typeof runEnd>['hosts']> {
    return (await this.#requests.ask(runEnd, { id }, AGAIN)).hosts;
  }

  /** Sends what is on record of it, as a message: to one, to several, to a `#group`, to `all`. */
  async share(run: number, to: string | readonly string[], options: { readonly key?: string } = {}): Promise<Sent> {
    mustKnow('share', options);
    const { key = this.#world.newKey() } = options;
    return this.#requests.ask(runShare, { run, to: typeof to === 'string' ? [to] : to, key }, AGAIN);
  }

  // ── a second person ──

  /** What waits for us to approve it, and what we have asked for ourselves. */
  async approvals(): Promise<readonly Waiting[]> {
    return (await this.#requests.ask(approvalList, {}, AGAIN)).approvals;
  }

  /** All that would be started: `hash` is the SHA-256 of `canonical`. */
  approval(approval: number): Promise<Request> {
    return this.#requests.ask(approvalShow, { approval }, AGAIN);
  }

  /** Whoever asked may start what has this digest, and nothing else. */
  async approve(approval: number, hash: string): Promise<void> {
    await this.#requests.ask(approvalGive, { approval, hash }, ONCE);
  }

  /** Our own is `withdrawn`. */
  deny(approval: number): Promise<ResultOf<typeof approvalDeny>> {
    return this.#requests.ask(approvalDeny, { approval }, ONCE);
  }

  // ── groups ──

  /** `machine`: for the owner, which machine is to be in the group; without it oneself. */
  async join(group: string, machine?: string): Promise<string> {
    return (await this.#requests.ask(groupJoin, membership(group, machine), AGAIN)).group;
  }

  async leave(group: string, machine?: string): Promise<string> {
    return (await this.#requests.ask(groupLeave, membership(group, machine), ONCE)).group;
  }

  async groups(): Promise<readonly Group[]> {
    return await listGroups(this.#askList);
  }

  /** For the owner: the addresses that the server is bound to, and the names that it was told, as URLs. */
  async listening(): Promise<Listening> {
    const { urls, names = [] } = await this.#requests.ask(serverListening, {}, AGAIN);
    return { urls, names };
  }

  // ── accounts ──

  invite(name: string, wanted: Inviting = {}): Promise<Invitation> {
    mustKnow('invite', wanted);
    const { role, kind } = wanted;
    const wishes = { ...(role === undefined ? {} : { role }), ...(kind === undefined ? {} : { kind }) };
    return this.#requests.ask(accountInvite, { name, ...wishes }, ONCE);
  }

  accounts(): Promise<Accounts> {
    return listAccounts(this.#askList);
  }

  async revoke(name: string): Promise<'account' | 'invitation'> {
    return (await this.#requests.ask(accountRevoke, { name }, ONCE)).revoked;
  }

  async setPassword(password: string): Promise<void> {
    await this.#requests.ask(accountPassword, { password }, AGAIN);
  }

  createToken(label: string): Promise<ResultOf<typeof tokenCreate>> {
    return this.#requests.ask(tokenCreate, { label }, ONCE);
  }

  async tokens(): Promise<readonly Token[]> {
    return (await this.#requests.ask(tokenList, {}, AGAIN)).tokens;
  }

  /** Whether there is a way in without a token. */
  async hasPassword(): Promise<boolean> {
    return (await this.#requests.ask(tokenList, {}, AGAIN)).password === true;
  }

  async removeToken(id: number): Promise<void> {
    await this.#requests.ask(tokenRemove, { id }, ONCE);
  }

  /** What was asked before and is not answered fails with a `ClosedError`; the loop over `messages` ends. */
  async close(): Promise<void> {
    this.#end(new ClosedError());
    await this.#link.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #start(options: RunOptions, as: { together?: Together; approval?: number | undefined } = {}): CommandRun {
    return new CommandRun({ options, ...as, running: this.#running, world: this.#world });
  }

  #end(error: Error): void {
    // The inbox first: what was consumed is still told.
    this.#inbox.close(error);
    this.#requests.close(error);
    this.#running.close(error);
  }
}

function membership(group: string, machine: string | undefined) {
  return machine === undefined ? { group } : { group, machine };
}
