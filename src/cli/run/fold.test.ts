import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, seedOf } from '../../../test/kit/random.ts';
import type { OutputName } from '../../client/run.ts';
import { expandBrackets } from '../../core/run/brackets.ts';
import { Fold, formatFolded, type FoldedLine, type FoldOptions } from './fold.ts';

/** A fold whose clock is turned by hand; what comes out is shown as it is printed, stderr with an `!`. */
function aFold(options: Partial<FoldOptions> = {}) {
  const fold = new Fold({ hosts: ['web1', 'web2', 'web3'], maxWaitMs: 100, ...options });
  let nowMs = 1_000;
  const shown = (lines: readonly FoldedLine[]) =>
    lines.map((line) => `${line.stream === 'stderr' ? '!' : ''}${formatFolded(line).slice(0, -1)}`);
  return {
    fold,
    says: (host: string, text: string, stream: OutputName = 'stdout') =>
      shown(fold.push(host, { stream, bytes: new TextEncoder().encode(text), nowMs })),
    ends: (host: string) => shown(fold.end(host, nowMs)),
    flushes: () => shown(fold.flush(nowMs)),
    after: (ms: number) => shown(fold.tick((nowMs += ms))),
  };
}

test('what all say is one line, printed as soon as the last has said it', () => {
  const { says, fold } = aFold();
  assert.deepEqual(says('web1', 'up\n'), []);
  assert.deepEqual(says('web3', 'up\n'), []);
  assert.deepEqual(says('web2', 'up\n'), ['web[1-3]: up']);
  assert.equal(fold.dueMs, undefined);
});

test('who says something else is shown beside them, once nobody can say it too', () => {
  const { says, ends } = aFold();
  says('web1', 'up\n');
  says('web2', 'down\n');
  assert.deepEqual(says('web3', 'up\n'), ['web[1,3]: up']);
  assert.deepEqual(ends('web1'), []);
  assert.deepEqual(ends('web3'), ['web2: down']);
});

test('a line waits for others as long as it may, and no longer', () => {
  const { says, after, fold } = aFold();
  says('web1', 'up\n');
  assert.deepEqual(after(60), []);
  says('web2', 'up\n');
  assert.deepEqual(after(39), []);
  assert.equal(fold.dueMs, 1_100);
  assert.deepEqual(after(1), ['web[1-2]: up']);
  says('web3', 'up\n');
  assert.deepEqual(after(100), ['web3: up']);
});

test('who has kept others waiting once is waited for only when it speaks again', () => {
  const { says, after } = aFold();
  says('web1', '1\n');
  says('web2', '1\n');
  assert.deepEqual(after(100), ['web[1-2]: 1']);
  says('web1', '2\n');
  assert.deepEqual(says('web2', '2\n'), ['web[1-2]: 2']);
  assert.deepEqual(says('web3', '1\n2\n3\n'), []);
  says('web1', '3\n');
  assert.deepEqual(says('web2', '3\n'), ['web3: 1', 'web3: 2', 'web[1-3]: 3']);
});

test('one that alone speaks is not held back a second time', () => {
  const { says, after } = aFold();
  says('web1', '1\n');
  assert.deepEqual(after(100), ['web1: 1']);
  assert.deepEqual(says('web1', '2\n3\n'), ['web1: 2', 'web1: 3']);
});

test('nobody waits for a machine that is done', () => {
  const { says, ends } = aFold();
  says('web1', 'up\n');
  says('web2', 'up\n');
  assert.deepEqual(ends('web3'), ['web[1-2]: up']);
  assert.deepEqual(says('web1', 'bye\n'), []);
  assert.deepEqual(ends('web2'), ['web1: bye']);
  assert.deepEqual(ends('web2'), []);
  assert.deepEqual(says('web1', 'really\n'), ['web1: really']);
  // Not even if there was something left to come from it.
  assert.deepEqual(says('web2', 'late\n'), []);
  assert.deepEqual(says('web1', 'done\n'), ['web2: late', 'web1: done']);
});

test('a machine that is ahead is joined line by line', () => {
  const { says, after } = aFold({ hosts: ['web1', 'web2'] });
  assert.deepEqual(says('web1', 'a\n\nb\n\nc\n'), []);
  assert.deepEqual(says('web2', 'a\n\n'), ['web[1-2]: a', 'web[1-2]: ']);
  assert.deepEqual(says('web2', 'x\n\nc\n'), ['web1: b', 'web1: ', 'web1: c']);
  assert.deepEqual(after(100), ['web2: x', 'web2: ', 'web2: c']);
});

test('lines of stdout and of stderr are never one, and keep their order', () => {
  const { says, ends } = aFold({ hosts: ['web1', 'web2'] });
  says('web1', 'a\n');
  says('web1', 'a\n', 'stderr');
  says('web1', 'b\n');
  assert.deepEqual(says('web2', 'a\n', 'stderr'), ['web1: a', '!web[1-2]: a']);
  assert.deepEqual(says('web2', 'a\n'), ['web1: b']);
  assert.deepEqual(ends('web1'), ['web2: a']);
});

test('a line without an end waits for it, or for the end of its machine', () => {
  const { says, ends, after } = aFold({ hosts: ['web1'] });
  assert.deepEqual(says('web1', 'half'), []);
  assert.deepEqual(after(10_000), []);
  assert.deepEqual(says('web1', ' a line\nPassword: '), ['web1: half a line']);
  assert.deepEqual(says('web1', 'oops', 'stderr'), []);
  assert.deepEqual(ends('web1'), ['web1: Password: ', '!web1: oops']);
});

test('a line that is too long comes in marked pieces, cut between characters', () => {
  const { says, ends } = aFold({ hosts: ['web1'], maxLineLength: 4 });
  assert.deepEqual(says('web1', 'abcdéf🙄g'), ['web1: abcd…', 'web1: éf🙄…']);
  assert.deepEqual(ends('web1'), ['web1: g']);
});

test('without folding every line is printed at once', () => {
  const { says, fold } = aFold({ isFolding: false, maxHeldBytes: 10_000 });
  assert.deepEqual(says('web1', 'up\nup'), ['web1: up']);
  const { moved } = shiftsOf(() => assert.equal(says('web3', SHORT_LINES).length, 60_000));
  assert.equal(moved, 0);
  assert.deepEqual(says('web2', 'up\n'), ['web2: up']);
  assert.equal(fold.dueMs, undefined);
});

test('nobody’s output drives the terminal, and what looks alike is not the same', () => {
  const { says, flushes, fold } = aFold({ hosts: ['web1', 'web2'] });
  says('web1', '\u001b[2J\t\u202ea\r\n');
  const printed = says('web2', String.raw`\x1b[2J\t\u202ea` + '\n');
  assert.deepEqual(
    [...printed, ...flushes()],
    [String.raw`web1: \x1b[2J\t\u202ea`, String.raw`web2: \x1b[2J\t\u202ea`],
  );
  const bytes = Uint8Array.of(0xff, 0x61, 0x0a);
  fold.push('web1', { stream: 'stdout', bytes, nowMs: 0 });
  assert.deepEqual(fold.flush(0), [{ stream: 'stdout', hosts: 'web1', text: '\ufffda' }]);
});

test('everything can be had at once', () => {
  const { says, flushes, fold } = aFold();
  says('web1', 'a\nb');
  says('web2', 'a\nc');
  assert.deepEqual(flushes(), ['web[1-2]: a', 'web1: b', 'web2: c']);
  assert.equal(fold.heldBytes, 0);
});

test('a machine that nobody told of is welcome', () => {
  const { says } = aFold({ hosts: [] });
  assert.deepEqual(says('web1', 'up\n'), ['web1: up']);
});

test('one that floods while another says nothing is printed when the room is full', () => {
  const { says, fold } = aFold({ maxHeldBytes: 10_000 });
  let printed = 0;
  for (let at = 0; at < 1_000; at++) {
    printed += says('web1', 'y\n').length;
    assert.ok(fold.heldBytes <= 10_000);
  }
  // After that the silent ones are waited for no more.
  assert.equal(printed, 1_000);
});

/** While it works: how many elements are moved in arrays that are shortened from the front, and how long the longest is. */
function shiftsOf(work: () => void): { readonly moved: number; readonly longest: number } {
  const { shift, splice } = Array.prototype;
  let [moved, longest] = [0, 0];
  const note = ({ length }: unknown[], dropped: number) => {
    moved += Math.max(0, length - dropped);
    longest = Math.max(longest, length);
  };
  const counting = {
    shift(this: unknown[]): unknown {
      note(this, 1);
      return shift.call(this);
    },
    splice(this: unknown[], from: number, count: number, ...more: unknown[]): unknown[] {
      note(this, from + count);
      return splice.call(this, from, count, ...more);
    },
  };
  Object.assign(Array.prototype, counting);
  try {
    work();
  } finally {
    Object.assign(Array.prototype, { shift, splice });
  }
  return { moved, longest };
}

/** Of two texts, in one piece. */
const SHORT_LINES = Array.from({ length: 60_000 }, (_, at) => (at % 3 === 0 ? 'y\n' : '\n')).join('');

test('of tens of thousands of lines that say the same, each is moved about once until it is printed', () => {
  const { says, fold } = aFold({ hosts: ['web1', 'web2'], maxHeldBytes: 100_000_000 });
  const { moved } = shiftsOf(() => {
    assert.deepEqual(says('web1', SHORT_LINES), []);
    assert.equal(says('web2', SHORT_LINES).length, 60_000);
  });
  assert.ok(moved > 0 && moved <= 60_000, `${moved} rows were moved`);
  assert.equal(fold.heldBytes, 0);
});

test('of many short lines in one piece no more are held than there is room for', () => {
  const { says } = aFold({ maxHeldBytes: 50_000 });
  const { longest } = shiftsOf(() => assert.equal(says('web1', SHORT_LINES).length, 60_000));
  assert.ok(longest > 0 && longest <= 200, `${longest} rows in 50,000 bytes`);
});

test('lines without an end fill no more room than there is', () => {
  const hosts = Array.from({ length: 50 }, (_, at) => `web${at}`);
  const { says, flushes, fold } = aFold({ hosts, maxHeldBytes: 20_000, isFolding: false });
  const printed: string[] = [];
  for (const host of [...hosts, ...hosts]) {
    printed.push(...says(host, 'x'.repeat(1_000)));
    assert.ok(fold.heldBytes <= 20_000);
  }
  assert.ok(printed.every((line) => line.endsWith('x…')));
  const shownLength = [...printed, ...flushes()].join('').replace(/[^x]/g, '').length;
  assert.equal(shownLength, 100 * 1_000);
});

/** The machines that a node set of this test stands for. */
function members(set: string): string[] {
  return (set.match(/(?:\[[^\]]*\]|[^,[])+/g) ?? []).flatMap((item) => {
    const names = expandBrackets(item, 1_000);
    assert.ok(typeof names === 'object' && !('refused' in names), set);
    return names;
  });
}

test('whatever comes when, each machine’s lines are printed once, in their order, in time, in bounded room', (t) => {
  const random = new Random(seedOf(t));
  for (let round = 0; round < 300; round++) {
    const hosts = Array.from({ length: 1 + random.int(6) }, (_, at) => `h${at}`);
    const maxHeldBytes = 1_500 + random.int(3_000);
    const fold = new Fold({ hosts, maxWaitMs: 50, maxHeldBytes, isFolding: random.int(10) > 0 });
    const said = new Map<string, string[]>(hosts.map((host) => [host, []]));
    const printed = new Map<string, string[]>(hosts.map((host) => [host, []]));
    const note = (lines: readonly FoldedLine[]) => {
      for (const { stream, hosts, text } of lines) {
        for (const host of members(hosts)) printed.get(host)?.push(`${stream} ${text}`);
      }
    };
    const living = [...hosts];
    let nowMs = 0;
    while (living.length > 0) {
      const host = living[random.int(living.length)] ?? '';
      const stream = random.pick<OutputName>(['stdout', 'stdout', 'stderr']);
      const texts = Array.from({ length: random.int(4) }, () => random.pick(['', 'a', 'b', 'c']));
      said.get(host)?.push(...texts.map((text) => `${stream} ${text}`));
      const bytes = new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''));
      note(fold.push(host, { stream, bytes, nowMs }));
      assert.ok(fold.heldBytes <= maxHeldBytes, `${fold.heldBytes} of ${maxHeldBytes} bytes`);
      if (random.int(20) === 0) note(fold.end(living.splice(living.indexOf(host), 1)[0] ?? '', nowMs));
      nowMs += random.pick([0, 0, 1, 20]);
      note(fold.tick(nowMs));
      assert.ok(fold.dueMs === undefined || fold.dueMs > nowMs);
    }
    assert.deepEqual(printed, said);
    assert.deepEqual([fold.heldBytes, fold.dueMs], [0, undefined]);
  }
});
