// Names that are taken, by what they look like: nobody comes in as `1an` while there is an `Ian`.

import type { Name, NameKey } from './name.ts';
import { skeletonsOf } from './skeleton.ts';

interface Named {
  readonly name: Name;
  readonly key: NameKey;
}

export class Lookalikes {
  readonly #bySkeleton = new Map<string, Named[]>();

  add(named: Named): void {
    for (const skeleton of skeletonsOf(named)) {
      const list = this.#bySkeleton.get(skeleton);
      if (list === undefined) this.#bySkeleton.set(skeleton, [named]);
      else list.push(named);
    }
  }

  remove(named: Named): void {
    for (const skeleton of skeletonsOf(named)) {
      const left = this.#bySkeleton.get(skeleton)?.filter((other) => other !== named) ?? [];
      if (left.length === 0) this.#bySkeleton.delete(skeleton);
      else this.#bySkeleton.set(skeleton, left);
    }
  }

  /** Another name that this one is taken for. */
  of(named: Named): Name | undefined {
    for (const skeleton of skeletonsOf(named)) {
      const other = this.#bySkeleton.get(skeleton)?.find(({ key }) => key !== named.key);
      if (other !== undefined) return other.name;
    }
    return undefined;
  }
}
