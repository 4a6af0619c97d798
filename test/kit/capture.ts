// What goes over the link between two hosts, packet by packet, as tcpdump prints it: TCP segments with their flags and
// relative numbers, questions to the name server and its answers.

import { LINK } from './hosts.ts';
import { type Host, printed } from './namespace.ts';

export interface Segment {
  readonly kind: 'segment';
  /** When the kernel sent or got it, in milliseconds to the microsecond; undefined where the line does not say. */
  readonly atMs: number | undefined;
  /** `address.port`, as tcpdump writes it. */
  readonly from: string;
  readonly to: string;
  readonly flags: string;
  /** First byte, and the one after the last; undefined where the segment carries none. */
  readonly seq: string | undefined;
  readonly ack: number | undefined;
  readonly length: number;
}

export interface Question {
  readonly kind: 'question';
  readonly id: string;
  readonly type: string;
  readonly name: string;
}

export interface Answer {
  readonly kind: 'answer';
  readonly id: string;
  /** Answer records: `AAAA fd77::1`. */
  readonly records: readonly string[];
}

export type Packet = Segment | Question | Answer;

/** Undefined for what is neither of the three. */
export function parsePacket(line: string): Packet | undefined {
  const [, time, from, to, rest] = /^(?:(\d+\.\d+) )?IP6? (\S+) > (\S+): (.*)$/.exec(line) ?? [];
  if (from === undefined || to === undefined || rest === undefined) return undefined;
  const flags = /^Flags \[([^\]]+)\]/.exec(rest)?.[1];
  if (flags !== undefined) {
    const ack = /, ack (\d+)/.exec(rest)?.[1];
    return {
      kind: 'segment',
      atMs: time === undefined ? undefined : Number(time) * 1_000,
      from,
      to,
      flags,
      seq: /, seq (\d+:\d+)/.exec(rest)?.[1],
      ack: ack === undefined ? undefined : Number(ack),
      length: Number(/, length (\d+)/.exec(rest)?.[1] ?? 0),
    };
  }
  const [, asked, type, name] = /^(\d+)\S* (?:\[\S+\] )?(A|AAAA)\? (\S+)\. /.exec(rest) ?? [];
  if (asked !== undefined && type !== undefined && name !== undefined)
    return { kind: 'question', id: asked, type, name };
  const [, answered, records] = /^(\d+)\S* \d+\/\d+\/\d+(.*) \(\d+\)$/.exec(rest) ?? [];
  if (answered === undefined || records === undefined) return undefined;
  return {
    kind: 'answer',
    id: answered,
    records: records
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== ''),
  };
}

export class Capture {
  readonly packets: Packet[] = [];
  readonly #check = new Set<() => void>();

  /** Listens on a host's link; resolves once tcpdump says that it does. */
  static async start(host: Host, filter: string): Promise<Capture> {
    // -n: numbers only; -tt: seconds of the epoch; -l and --immediate-mode: a line for each packet as soon as it passes.
    const tcpdump = host.start('tcpdump', '-i', LINK, '-n', '-tt', '-l', '--immediate-mode', filter);
    const capture = new Capture();
    let rest = '';
    tcpdump.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) capture.#add(line);
    });
    await printed(tcpdump.stderr, /listening on/);
    return capture;
  }

  #add(line: string): void {
    const packet = parsePacket(line);
    if (packet === undefined) return;
    this.packets.push(packet);
    for (const check of this.#check) check();
  }

  /** Waits until what has passed satisfies; that it never does is the test's time limit. */
  until(isComplete: (packets: readonly Packet[]) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (!isComplete(this.packets)) return;
      this.#check.delete(check);
      resolve();
    };
    this.#check.add(check);
    check();
    return promise;
  }
}
