// How an echo is shown: to a file or a pipe byte for byte, to a terminal made harmless, to a program as JSON lines.

import { isUtf8 } from 'node:buffer';
import { Labeller } from '../../client/echo-lines.ts';
import { escapeControls } from '../../protocol/text.ts';
import { jsonLine } from '../kit/json-line.ts';

export interface EchoView {
  /** What to write for a chunk of the echo. */
  show(this: void, chunk: Uint8Array): Uint8Array | string;
  /** What is left to write when no more comes. */
  end(): string;
  readonly isAtLineStart: boolean;
}

/** Bytes as they come, each line labelled. */
export function plainView(label: string): EchoView {
  const labeller = new Labeller(label);
  return {
    show: (chunk) => labeller.push(chunk),
    end: () => '',
    get isAtLineStart() {
      return labeller.isAtLineStart;
    },
  };
}

/** Text for a person's eyes: what would drive the terminal is shown escaped. */
export function terminalView(label: string): EchoView {
  const decoder = new TextDecoder();
  let isAtLineStart = true;
  const showText = (text: string): string => {
    if (text === '') return '';
    const lines = text.split('\n');
    const shown = lines.map((line, index) => {
      const isLabelled = index === 0 ? isAtLineStart : index < lines.length - 1 || line !== '';
      return (isLabelled ? label : '') + escapeControls(line);
    });
    isAtLineStart = text.endsWith('\n');
    return shown.join('\n');
  };
  return {
    show: (chunk) => showText(decoder.decode(chunk, { stream: true })),
    end: () => showText(decoder.decode()) + (isAtLineStart ? '' : '\n'),
    get isAtLineStart() {
      return isAtLineStart;
    },
  };
}

/** A longer line is told in pieces of at most this size, so that no line has to be held whole. */
const MAX_JSON_PIECE_BYTES = 65_536;
const LF = 10;

/** One object a line of echo, without its line end: `text`, or `dataBase64` if it is not UTF-8. */
export function jsonView(): EchoView {
  let held = Buffer.alloc(0);
  const show = (chunk: Uint8Array): string => {
    let bytes = Buffer.concat([held, chunk]);
    let shown = '';
    while (bytes.length > 0) {
      const lf = bytes.subarray(0, MAX_JSON_PIECE_BYTES + 1).indexOf(LF);
      if (lf === -1 && bytes.length <= MAX_JSON_PIECE_BYTES) break;
      const end = lf === -1 ? MAX_JSON_PIECE_BYTES : lf;
      shown += piece(bytes.subarray(0, end), lf !== -1);
      bytes = bytes.subarray(lf === -1 ? end : end + 1);
    }
    held = Buffer.from(bytes);
    return shown;
  };
  return {
    show,
    end: () => (held.length === 0 ? '' : piece(held, false)),
    get isAtLineStart() {
      return held.length === 0;
    },
  };
}

function piece(bytes: Buffer, endsLine: boolean): string {
  const data = isUtf8(bytes) ? { text: bytes.toString() } : { dataBase64: bytes.toString('base64') };
  return jsonLine({ event: 'echo', ...data, endsLine });
}
