// Where a command is to run and whether it may, the same by every door; what is not allowed is logged, and
// put on record.

import type { Hub } from '../../core/hub.ts';
import type { RunRefusal } from '../../core/refusal.ts';
import { personOf, type Approval, type Person } from '../../core/run/approval.ts';
import { placesFor, type Approvers, type Places } from '../../core/run/policy.ts';
import { settingOf, type Starter } from '../../core/run/record.ts';
import type { Session } from '../../core/session.ts';
import type { House } from './house.ts';
import { fieldsOfDenied, recordOfDenied, type Denied, type DeniedAttempt } from './words-run.ts';

type PlacesHouse = Pick<House, 'hub' | 'runner' | 'hosts' | 'policy' | 'log' | 'records'>;

interface Looking {
  readonly targets: string;
  /** Whose rights count. */
  readonly person: Person;
  /** The same for the records. */
  readonly starter: Starter;
  /** As it is said if it is refused. */
  readonly denied: Denied;
  /** Nothing is to run: somebody looks what would. */
  readonly isLook?: boolean | undefined;
}

export function lookUp(
  house: PlacesHouse,
  { targets, person, starter, denied, isLook = false }: Looking,
): Places | RunRefusal {
  const { hub, runner, hosts, policy, log, records } = house;
  const { serverName, directory } = hub;
  const found = placesFor(
    targets,
    { role: person.role, key: person.key, command: denied.command, manner: denied.setting },
    { serverName, runner, hosts, directory, policy, isPresent: (key) => hub.isPresent(key) },
  );
  const attempt = isLook ? undefined : deniedIn(found, targets.trim() || serverName);
  if (attempt !== undefined) {
    log.warn('command not allowed', { ...fieldsOfDenied(attempt, denied), address: starter.address });
    const { command } = denied;
    // A guest is nobody, and fills no disk.
    if (person.role !== 'guest' && command !== undefined) {
      records.refuse({ run: records.newRun(), starter, ...recordOfDenied(attempt, { ...denied, command }) });
    }
  }
  return found;
}

/** What goes on record. A verb that is none, or has not such values, is looked at before the machines are: those are as they were typed. */
function deniedIn(found: Places | RunRefusal, targets: string): DeniedAttempt | undefined {
  if (!('refused' in found)) return undefined;
  if (found.refused === 'not-allowed') return found;
  const isVerb = found.refused === 'unknown-verb' || found.refused === 'bad-verb';
  return isVerb ? { names: [targets], why: found } : undefined;
}

/** Who has to approve by now what was asked for, with the rights of then; undefined: it is not allowed any more. */
export function approversNow(
  house: PlacesHouse,
  { asked: { by, hosts, request }, asker: person, starter, approvers }: Approval,
): Approvers | undefined {
  const denied = { by, role: person.role, command: request.command, setting: settingOf(request) };
  const found = lookUp(house, { targets: hosts.join(), person, starter, denied, isLook: true });
  if (!('refused' in found)) return [];
  if (found.refused === 'needs-approval') return found.approvers;
  // Whatever else has become of the machines is said when it starts.
  return found.refused === 'not-allowed' ? undefined : approvers;
}

/** Somebody with the rights that their session has now. */
export function personIn(hub: Hub, session: Session): Person {
  return personOf(session, hub.rights.of(session));
}
