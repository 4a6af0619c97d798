// Which of a family's addresses the measurement is of.

import type { AddressFacts, LinkFacts } from './facts.ts';

export interface Tried {
  readonly addresses: readonly AddressFacts[];
  readonly link: LinkFacts | undefined;
}

/** That of the connection that was measured; without one, the first that connects. */
export function usedAddress({ addresses, link }: Tried): AddressFacts | undefined {
  return addresses.find(({ address }) => address === link?.address) ?? addresses.find(hasConnected);
}

export function hasConnected({ connectMs }: AddressFacts): boolean {
  return connectMs !== undefined;
}
