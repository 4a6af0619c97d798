// Memory of what sockets have brought, given back while it is little. V8 counts it as old: for every 30 MB that were read it
// looked through all that the process has, with four threads, which in bulk took a third of its time. A look through what is
// new, long before that, takes 0.3 ms. Node has no other way: what TLS brings lies in memory of Node's own, which several
// connections share.

/** Bytes read between two looks. With 8 MiB V8 still came before us now and then. */
const SCAVENGE_BYTES = 4 * 1_048_576;

type Scavenge = () => void;

let readBytes = 0;
let scavenge: Scavenge | undefined;

/** So many bytes have come, on whichever connection. */
export function countRead(bytes: number): void {
  readBytes += bytes;
  if (readBytes < SCAVENGE_BYTES) return;
  readBytes = 0;
  scavenge ??= findScavenge();
  scavenge();
}

/** Only where much is read: the modules and a context of its own take milliseconds, which a command that starts has not. */
function findScavenge(): Scavenge {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  const gc: unknown = process.getBuiltinModule('node:vm').runInNewContext('gc');
  return typeof gc === 'function' ? () => void gc({ type: 'minor' }) : () => {};
}
