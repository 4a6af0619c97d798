import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { aDirectory } from '../../test/kit/directory.ts';
import { KnownServers } from './known-servers.ts';

const A = `sha256//${'A'.repeat(43)}=`;
const B = `sha256//${'B'.repeat(43)}=`;

function aPath(t: TestContext): string {
  return join(aDirectory(t), 'state', 'known-servers');
}

test('a key is remembered at the first meeting, for that server and port alone', (t) => {
  const path = aPath(t);
  const known = new KnownServers(path);
  assert.deepEqual(known.meet('hub:7270', A), { met: 'first', where: path });
  assert.deepEqual(known.meet('hub:7270', A), { met: 'again' });
  assert.deepEqual(new KnownServers(path).meet('hub:7270', A), { met: 'again' });
  assert.deepEqual(known.meet('hub:7271', B), { met: 'first', where: path });
  assert.deepEqual(known.meet('[::1]:7270', B), { met: 'first', where: path });
  assert.equal(readFileSync(path, 'utf8'), `hub:7270 ${A}\nhub:7271 ${B}\n[::1]:7270 ${B}\n`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('another key is refused with both, and the line that would have to go', (t) => {
  const path = aPath(t);
  const known = new KnownServers(path);
  known.meet('other:1', A);
  known.meet('hub:7270', A);
  const met = known.meet('hub:7270', B);
  assert.ok('refused' in met);
  assert.ok(met.refused.startsWith(`its key was ${A} and is now ${B}; `), met.refused);
  assert.ok(met.refused.endsWith(`remove line 2 of ${path}`), met.refused);
  assert.deepEqual(known.meet('hub:7270', A), { met: 'again' });
});

test('a key is found again under every name that it was met by', (t) => {
  const path = aPath(t);
  const known = new KnownServers(path);
  assert.deepEqual([known.keyOf('hub:7270'), known.serversOf(A)], [undefined, []]);
  known.meet('hub:7270', A);
  known.meet('other:7270', B);
  known.meet('[::1]:7270', A);
  writeFileSync(path, `${readFileSync(path, 'utf8')}other:7270 ${A}\n`);
  assert.deepEqual(known.serversOf(A), ['hub:7270', '[::1]:7270']);
  assert.deepEqual([known.keyOf('other:7270'), known.keyOf('[::1]:7270')], [B, A]);
});

test('of two keys for one server the first counts', (t) => {
  const path = aPath(t);
  new KnownServers(path).meet('x:1', A);
  writeFileSync(path, `# ours\n\nhub:1 ${A}\nhub:1 ${B}\n`);
  assert.deepEqual(new KnownServers(path).meet('hub:1', A), { met: 'again' });
  assert.ok('refused' in new KnownServers(path).meet('hub:1', B));
});

test('a last line without its end is not continued', (t) => {
  const path = aPath(t);
  new KnownServers(path).meet('x:1', A);
  writeFileSync(path, `x:1 ${A}`);
  new KnownServers(path).meet('y:1', B);
  assert.equal(readFileSync(path, 'utf8'), `x:1 ${A}\ny:1 ${B}\n`);
});

test('where it cannot be told what was known, nobody is met', (t) => {
  const path = aPath(t);
  const known = new KnownServers(path);
  known.meet('x:1', A);
  const refusal = () => {
    const met = known.meet('x:1', A);
    assert.ok('refused' in met, JSON.stringify(met));
    return met.refused;
  };
  writeFileSync(path, `x:1 ${A}\nhub:7270 sha256//cut`);
  assert.equal(refusal(), `line 2 of ${path} is not HOST:PORT and a fingerprint: mend or remove it`);
  writeFileSync(path, `x:1 ${A}\n`);
  chmodSync(path, 0o620);
  assert.match(refusal(), /others may write to it \(mode 0620\); it must be 0600$/);
  rmSync(path);
  mkdirSync(path);
  assert.match(refusal(), /: it is not a file$/);
});

test('where nothing can be kept, nobody is met for the first time', (t) => {
  const file = join(aDirectory(t), 'file');
  writeFileSync(file, '');
  const met = new KnownServers(join(file, 'known-servers')).meet('x:1', A);
  assert.ok('refused' in met);
  assert.match(met.refused, /: its directory is not one$/);
});

test('those who meet servers at the same moment lose nothing, and agree on one key for each', async (t) => {
  const path = aPath(t);
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ KnownServers }) => {
      const known = new KnownServers(workerData.path);
      const key = (n) => 'sha256//' + String(n).padEnd(43, 'A') + '=';
      const met = [];
      for (let n = 0; n < 20; n++) {
        known.meet('own' + workerData.me + ':' + n, key(n));
        met.push('refused' in known.meet('common:' + n, key(workerData.me)) ? 'refused' : 'met');
      }
      parentPort.postMessage(met);
    });`;
  const module = join(import.meta.dirname, 'known-servers.ts');
  const answers = await Promise.all(
    [1, 2, 3, 4].map((me) => {
      const worker = new Worker(program, { eval: true, workerData: { module, path, me } });
      return new Promise<string[]>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
  for (let n = 0; n < 20; n++) assert.equal(answers.filter((met) => met[n] === 'met').length, 1, `common:${n}`);
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines.filter((line) => line.startsWith('own')).length, 80);
});
