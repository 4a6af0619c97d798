// What many machines have measured as one table: a row for those that say the same, a column for each family, below it what
// comes of it. Pure: the same answers in so many columns give the same lines.

import type { AddressFamily } from '../../../net/race.ts';
import { formatNodeSet } from '../../../protocol/node-set.ts';
import { escapeControls } from '../../../protocol/text.ts';
import { widthOf } from '../../run/summary.ts';
import { bold, wrap, type Look } from '../look.ts';
import type { Answer, Answered } from './answer.ts';
import { notesOf, sumsOf } from './sums.ts';

export interface Matrix {
  readonly host: string;
  readonly port: number;
  readonly families: readonly AddressFamily[];
  readonly wants: 'echo' | 'connect';
  /** All that were asked, in their order. */
  readonly machines: readonly string[];
  /** Of those that have answered so far. */
  readonly answers: ReadonlyMap<string, Answer>;
}

interface Row {
  readonly label: string;
  /** One for each family, or one for all. */
  readonly cells: readonly string[];
  readonly isTrouble: boolean;
}

/** Machines that say the same have a row each up to so many: each one's time is worth a look. */
const MAX_ALONE = 3;
/** A machine is told from those in its row if it takes so many times as long, and so many milliseconds longer. */
const FAR_TIMES = 2;
const FAR_MS = 1;
const GAP = '  ';
/** Narrower, and each line would be a word. */
const LEAST_COLUMNS = 20;

export function matrixLines(matrix: Matrix, look: Look): string[] {
  const { host, port, machines, answers } = matrix;
  const from = machines.length === 1 ? '1 machine' : `${machines.length} machines`;
  const title = `Probing ${escapeControls(host)} port ${port} from ${from}`;
  const rows = rowsOf(matrix, look);
  const isOver = machines.every((name) => answers.has(name));
  const said = isOver ? [...sumsOf(matrix), ...notesOf(matrix)] : [];
  return [...wrapped(title, look), ...tableLines(matrix, rows, look), ...labelled('Verdict', said, look)];
}

function tableLines({ families, wants }: Matrix, rows: readonly Row[], look: Look): string[] {
  const heads = ['From', ...families.map((family) => `IPv${family} ${wants === 'echo' ? 'p50' : 'connect'}`)];
  const widths = heads.map((head, column) =>
    Math.max(
      widthOf(head),
      // What stands for all families may be as wide as it likes.
      ...rows.map(({ label, cells }) => {
        const own = [label, ...cells][column];
        return own === undefined || (column > 0 && cells.length < families.length) ? 0 : widthOf(own);
      }),
    ),
  );
  const line = (words: readonly string[]): string =>
    words.map((word, column) => (column === words.length - 1 ? word : padded(word, widths[column] ?? 0))).join(GAP);
  const lines = rows.map(({ label, cells, isTrouble }) => ({ text: line([label, ...cells]), isTrouble }));
  const widest = Math.max(widthOf(line(heads)), ...lines.map(({ text }) => widthOf(text)));
  if (look.columns !== undefined && widest >= look.columns) return stackedLines(families, rows, look);
  return [bold(line(heads), look), ...lines.map(({ text, isTrouble }) => (isTrouble ? bold(text, look) : text))];
}

/** On a narrow terminal: each cell on a line of its own. */
function stackedLines(families: readonly AddressFamily[], rows: readonly Row[], look: Look): string[] {
  return rows.flatMap(({ label, cells, isTrouble }) => {
    const own = cells.length < families.length || families.length === 1;
    const lines = cells.map((cell, at) => (own ? cell : `IPv${families[at]} ${cell}`));
    const indented = lines.flatMap((line) => wrapped(line, look, GAP));
    return [bold(label, look), ...indented.map((line) => (isTrouble ? bold(line, look) : line))];
  });
}

function rowsOf({ families, machines, answers }: Matrix, look: Look): Row[] {
  const groups = Map.groupBy(machines, (name) => kindOf(answers.get(name), families));
  const rows = [...groups.values()].flatMap((names): (readonly string[])[] => {
    const [first = ''] = names;
    return hasNumbers(answers.get(first)) && names.length <= MAX_ALONE ? names.map((name) => [name]) : [names];
  });
  return rows.map((names) => rowOf(names, { families, answers, look }));
}

/** The same for machines that share a row. */
function kindOf(answer: Answer | undefined, families: readonly AddressFamily[]): string {
  if (answer === undefined) return 'waiting';
  if (answer.kind === 'unanswered') return `no ${answer.word}`;
  return families
    .map((family) => {
      const cell = answer.cells.get(family);
      return cell?.works === true ? `works ${cell.lost > 0}` : cell?.why;
    })
    .join('\n');
}

function hasNumbers(answer: Answer | undefined): boolean {
  return answer?.kind === 'answered' && answer.cells.values().some(({ works }) => works);
}

interface Around {
  readonly families: readonly AddressFamily[];
  readonly answers: ReadonlyMap<string, Answer>;
  readonly look: Look;
}

function rowOf(names: readonly string[], { families, answers, look }: Around): Row {
  const label = formatNodeSet(names);
  const all = names.map((name) => ({ name, answer: answers.get(name) }));
  const answered = all.flatMap(({ name, answer }) => (answer?.kind === 'answered' ? [{ name, answer }] : []));
  const [first] = all;
  if (first?.answer === undefined) return { label, cells: [look.isUtf8 ? '…' : '...'], isTrouble: false };
  if (first.answer.kind === 'unanswered') return { label, cells: [first.answer.word], isTrouble: true };
  const cells = families.map((family) => cellText(family, answered, look));
  const isTrouble = families.some((family) => answered[0]?.answer.cells.get(family)?.works !== true);
  return { label, cells, isTrouble };
}

/** `0.512 to 41.300 ms, up to 2 of 10 lost, slowest web7`. */
function cellText(
  family: AddressFamily,
  answered: readonly { readonly name: string; readonly answer: Answered }[],
  look: Look,
): string {
  const cells = answered.flatMap(({ name, answer }) => {
    const cell = answer.cells.get(family);
    return cell === undefined ? [] : [{ name, cell }];
  });
  const [only] = cells;
  if (only === undefined || !only.cell.works) return only?.cell.works === false ? only.cell.why : '';
  const working = cells.flatMap(({ name, cell }) => (cell.works ? [{ name, ...cell }] : []));
  const byTime = working.toSorted((one, other) => one.ms - other.ms);
  const [low, high] = [byTime[0], byTime.at(-1)];
  if (low === undefined || high === undefined) return '';
  const worst = working.reduce((one, other) => (other.lost > one.lost ? other : one));
  const times = cells.length === 1 ? `${ms(low.ms)} ms` : `${ms(low.ms)}${look.isUtf8 ? '–' : '-'}${ms(high.ms)} ms`;
  const lost = worst.lost === 0 ? '' : `, ${cells.length > 1 ? 'up to ' : ''}${worst.lost} of ${worst.count} lost`;
  const isFar = high.ms >= low.ms * FAR_TIMES && high.ms - low.ms >= FAR_MS;
  return times + lost + (isFar ? `, slowest ${formatNodeSet([high.name])}` : '');
}

function labelled(label: string, lines: readonly string[], look: Look): string[] {
  const indent = ' '.repeat(label.length + GAP.length);
  const cut = lines.flatMap((line) => wrapped(line, look, indent));
  return cut.map((line, at) => (at === 0 ? bold(label, look) + line.slice(label.length) : line));
}

/** In the columns of the terminal, the last of which stays free: some go to the next line with it. */
function wrapped(text: string, { columns }: Look, indent = ''): string[] {
  if (columns === undefined) return [indent + text];
  return wrap(text, Math.max(columns - indent.length - 1, LEAST_COLUMNS)).map((line) => indent + line);
}

function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(columns - widthOf(text), 0));
}

function ms(value: number): string {
  return value.toFixed(3);
}
