import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from './progress.ts';

function aProgress() {
  const written: string[] = [];
  return { written, progress: new Progress({ write: (text) => written.push(text) }) };
}

test('how far it has come is written over what stood there, no more often than anybody reads', () => {
  const { written, progress } = aProgress();
  progress.show('1 %', 0);
  progress.show('2 %', 199);
  progress.show('3 %', 200);
  progress.clear();
  progress.clear();
  assert.deepEqual(written, ['\r\u001b[K1 %', '\r\u001b[K3 %', '\r\u001b[K']);
});

test('what was never shown is not erased', () => {
  const { written, progress } = aProgress();
  progress.clear();
  assert.deepEqual(written, []);
});
