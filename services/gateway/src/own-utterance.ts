import { RhapsodeError, utteranceId } from '@rhapsode/contracts';
import type { UtteranceState } from '@rhapsode/store';
import type { GatewayDeps } from './deps.ts';

/** The utterance that a path names. Another tenant's does not exist, nor does one with an id that can't be. */
export async function ownUtterance(
  params: unknown,
  { store, tenant }: Pick<GatewayDeps, 'store' | 'tenant'>,
): Promise<UtteranceState> {
  const id = utteranceId.safeParse((params as { id?: unknown }).id);
  const state = id.success ? await store.get(id.data) : undefined;
  if (state?.utterance.tenant !== tenant) throw new RhapsodeError('utterance_not_found');
  return state;
}
