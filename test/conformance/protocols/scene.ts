import type { Fleet } from '../../support/fleet.ts';
import { until } from '../../support/wait.ts';

/** Three services with all their ports, shared by the protocols' tests. */
export interface Scene {
  readonly fleet: Fleet;
  readonly grpcPort: number;
  readonly wyomingPort: number;
}

export type TheScene = () => Scene;

export const slowly = (text: string, factor = 0.2): string =>
  text.replaceAll('.', ` {{tone:slow=${factor}}}.`);

/** A client that has gone is nobody's listener any more. */
export const nothingLeft = ({ fleet }: Scene) =>
  until(
    async () =>
      (await fleet.gateway.metric('rhapsode_backlog_audio_seconds')) === 0 &&
      (await fleet.gateway.metric('rhapsode_streams_open')) === 0,
    { what: 'nothing to be made or sent any more', timeoutMs: 30_000 },
  );
