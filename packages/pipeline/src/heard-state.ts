import { RhapsodeError } from '@rhapsode/contracts';
import type { RequestStore, UtteranceState } from '@rhapsode/store';

/** What the store has of an utterance that somebody wants to hear. Throws if it is not there, or was cancelled. */
export async function heardState(store: Pick<RequestStore, 'get'>, id: string): Promise<UtteranceState> {
  const state = await store.get(id);
  if (!state) throw new RhapsodeError('utterance_not_found', { message: `there is no utterance ${id}` });
  if (state.cancelled) throw new RhapsodeError('cancelled', { message: `utterance ${id} was cancelled` });
  return state;
}
