// What a command has said, as text, for programs that want it all at once.

import type { Output } from './output.ts';

/** Bytes of each output that are kept; the rest is read and let go, so that the command is not held up. */
const MAX_KEPT_BYTES = 1_048_576;

export interface Texts {
  readonly stdout: string;
  readonly stderr: string;
  /** There was more than is kept. */
  readonly isCut: boolean;
}

interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Throws what is no number of bytes; `Infinity` is all there is. */
export function checkMaxBytes(maxBytes: number | undefined): void {
  if (maxBytes === undefined || maxBytes === Number.POSITIVE_INFINITY) return;
  if (Number.isSafeInteger(maxBytes) && maxBytes >= 0) return;
  throw new RangeError(`maxBytes is a number of bytes, not ${String(maxBytes)}`);
}

/** Where the rest is lost, what came until then: how the command ended says so. */
export async function readTexts(outputs: Outputs, maxBytes = MAX_KEPT_BYTES): Promise<Texts> {
  checkMaxBytes(maxBytes);
  const [stdout, stderr] = await Promise.all([read(outputs.stdout, maxBytes), read(outputs.stderr, maxBytes)]);
  return { stdout: stdout.text, stderr: stderr.text, isCut: stdout.isCut || stderr.isCut };
}

async function read(output: Output, maxBytes: number): Promise<{ text: string; isCut: boolean }> {
  const decoder = new TextDecoder();
  let [text, left, isCut] = ['', maxBytes, false];
  try {
    for await (const bytes of output) {
      text += decoder.decode(bytes.subarray(0, left), { stream: true });
      isCut ||= bytes.length > left;
      left = Math.max(0, left - bytes.length);
    }
  } catch {
    // Lost: whoever asked is told by the result.
  }
  // A character that was cut in two is none.
  return { text: isCut ? text : text + decoder.decode(), isCut };
}
