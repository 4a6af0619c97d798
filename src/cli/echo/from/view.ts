// The table while it fills, and at the end; or a line of JSON for each machine as it answers. What a machine says is held only
// until it has been read.

import type { OutputName } from '../../../client/run.ts';
import type { HostResult } from '../../../protocol/summary.ts';
import { jsonLine } from '../../kit/json-line.ts';
import type { Drop, View } from '../../run/view.ts';
import type { EchoIo } from '../io.ts';
import { lookOf, usableColumns, type Look } from '../look.ts';
import { Panel } from '../panel.ts';
import { answerOf, MAX_ANSWER_BYTES, MAX_COMPLAINT_BYTES, type Answer, type Unanswered } from './answer.ts';
import { matrixLines, type Matrix } from './matrix.ts';

/** Rows of a terminal that does not say how many it has. */
const USUAL_ROWS = 24;

interface Showing {
  readonly io: EchoIo;
  readonly drop: Drop;
  readonly isJson: boolean;
}

interface Heard {
  readonly stdout: Uint8Array[];
  readonly stderr: Uint8Array[];
  length: { stdout: number; stderr: number };
}

const MOST: Readonly<Record<OutputName, number>> = { stdout: MAX_ANSWER_BYTES, stderr: MAX_COMPLAINT_BYTES };

export class MatrixView implements View {
  readonly answers = new Map<string, Answer>();
  readonly #made: Omit<Matrix, 'answers'>;
  readonly #showing: Showing;
  readonly #heard = new Map<string, Heard>();
  readonly #panel: Panel | undefined;
  #failure: string | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(made: Omit<Matrix, 'answers'>, showing: Showing) {
    this.#made = made;
    this.#showing = showing;
    const { io, isJson, drop } = showing;
    this.#panel = lookOf(io).isLive && !isJson ? new Panel(io.stdout, () => this.#fitting()) : undefined;
    io.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') this.#failure ??= `Cannot write the output: ${error.code ?? error.message}`;
      // Nobody reads: they need not go on.
      drop('stdout');
    });
    this.#panel?.soon();
  }

  /** All is out, or cannot be. */
  get written(): Promise<void> {
    return this.#written;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  get isBehind(): boolean {
    return false;
  }

  output(host: string, { stream, bytes }: { stream: OutputName; bytes: Uint8Array }, done: () => void): void {
    const heard = this.#heardOf(host);
    const room = MOST[stream] - heard.length[stream];
    heard.length[stream] += bytes.length;
    if (room > 0) heard[stream].push(bytes.slice(0, room));
    // Of complaints the first is enough.
    else if (stream === 'stdout') this.#showing.drop('stdout', host);
    done();
  }

  outputEnd(): void {}

  ended(host: string, result: HostResult, reason: string | undefined): void {
    const { stdout, stderr, length } = this.#heardOf(host);
    this.#heard.delete(host);
    const said = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
    const isTooLong = length.stdout > MAX_ANSWER_BYTES;
    const answer = answerOf({ result, reason, isTooLong, ...said }, this.#made.families);
    if (this.#showing.isJson) this.#tell(host, answer, result);
    // What is shown of it has been read.
    this.answers.set(host, answer.kind === 'answered' ? { ...answer, object: {} } : answer);
    this.#panel?.soon();
  }

  hurry(): void {}

  close(): Promise<void> {
    const { isJson } = this.#showing;
    for (const host of this.#made.machines) {
      if (!this.answers.has(host)) this.ended(host, { result: 'not-started' }, undefined);
    }
    this.#panel?.clear();
    if (!isJson)
      this.#write(
        this.#lines(lookOf(this.#showing.io))
          .map((line) => `${line}\n`)
          .join(''),
      );
    return this.#written;
  }

  /** The fields of a probe, whatever came of it. */
  #tell(from: string, answer: Answer, { result, ...how }: HostResult): void {
    const status = 'status' in how ? how.status : null;
    const fields = answer.kind === 'answered' ? answer.object : this.#nothing(from, answer);
    this.#write(jsonLine(Object.assign({ from }, fields, { from, result, status })));
  }

  #nothing(from: string, { word, why }: Unanswered): object {
    const { host, port } = this.#made;
    const verdict = `nothing was measured from ${from}: ${why ?? word}`;
    return { host, port, ipv4: null, ipv6: null, winner: null, verdict, reason: why ?? word };
  }

  #write(text: string): void {
    const { stdout } = this.#showing.io;
    // Of writes one after another the last one is called back last.
    this.#written = new Promise((resolve) => stdout.write(text, () => resolve()));
  }

  /** What was written beyond the first row cannot be written over, and a line that is too long takes two. */
  #fitting(): string[] {
    const look = { ...lookOf(this.#showing.io), hasColor: false };
    const lines = this.#lines(look).map((line) => line.slice(0, usableColumns(look)));
    const most = (this.#showing.io.stdout.rows || USUAL_ROWS) - 1;
    return lines.length <= most ? lines : [...lines.slice(0, most - 1), `and ${lines.length - most + 1} more lines`];
  }

  #lines(look: Look): string[] {
    return matrixLines({ ...this.#made, answers: this.answers }, look);
  }

  #heardOf(host: string): Heard {
    const heard = this.#heard.get(host) ?? { stdout: [], stderr: [], length: { stdout: 0, stderr: 0 } };
    this.#heard.set(host, heard);
    return heard;
  }
}
