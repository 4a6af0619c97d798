// Every schema there has been, each as the step from the one before. Only ever appended to: `PRAGMA user_version` of
// a database is the number of steps that it has had.

import { FIRST } from './0001-first.ts';
import { LOG } from './0002-log.ts';
import { RUNS } from './0003-runs.ts';
import { MACHINES } from './0004-machines.ts';

export const MIGRATIONS: readonly string[] = [FIRST, LOG, RUNS, MACHINES];
