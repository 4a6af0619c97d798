// Every schema there has been, each as the step from the one before. Only ever appended to: `PRAGMA user_version` of
// a database is the number of steps that it has had.

import { FIRST } from './0001-first.ts';
import { LOG } from './0002-log.ts';
import { RUNS } from './0003-runs.ts';
import { PAST } from './0004-past.ts';
import { INVITER } from './0005-inviter.ts';
import { LOST } from './0006-lost.ts';
import { MACHINES } from './0007-machines.ts';
import { CONDEMNED } from './0008-condemned.ts';
import { ENDED_BY } from './0009-ended-by.ts';
import { APPROVER } from './0010-approver.ts';
import { DOUBT } from './0011-doubt.ts';
import { APPROVER_NUMBER } from './0012-approver-number.ts';

export const MIGRATIONS: readonly string[] = [
  FIRST,
  LOG,
  RUNS,
  PAST,
  INVITER,
  LOST,
  MACHINES,
  CONDEMNED,
  ENDED_BY,
  APPROVER,
  DOUBT,
  APPROVER_NUMBER,
];
