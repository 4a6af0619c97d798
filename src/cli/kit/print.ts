// What commands print: text that others wrote is shown escaped, tables are aligned, and a reader that has seen enough
// (`partyline history | head`) ends the writing.

import { escapeControls } from '../../protocol/text.ts';

const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';

/** False: nobody reads any more. Settles when there is room for more. */
export async function print(text: string | Uint8Array): Promise<boolean> {
  const { stdout } = process;
  if (stdout.destroyed || stdout.errored !== null) return false;
  if (stdout.write(text)) return true;
  await new Promise<void>((resolve) => {
    const goOn = () => {
      // What is written a thousand times listens once.
      stdout.off('drain', goOn).off('error', goOn).off('close', goOn);
      resolve();
    };
    stdout.on('drain', goOn).on('error', goOn).on('close', goOn);
  });
  return !stdout.destroyed && stdout.errored === null;
}

/** Rows in columns, each as wide as its widest cell; the last one as long as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(escapeControls));
  const widths: number[] = [];
  for (const row of shown) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, lengthOf(cell));
  }
  return shown
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - lengthOf(cell)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Code points: a name of any script comes close to its columns. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** On a terminal whose owner does not mind (https://no-color.org). */
export function bold(text: string): string {
  return process.stdout.isTTY && !process.env['NO_COLOR'] ? `${BOLD}${text}${PLAIN}` : text;
}
