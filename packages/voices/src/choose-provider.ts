import { asRhapsodeError, RhapsodeError } from '@rhapsode/contracts';
import { createGraphBuilder } from './onnx/graph/builder.ts';
import { float } from './onnx/graph/model.ts';
import { createSession, float32 } from './onnx/session.ts';
import { tryProvider } from './prepare-elsewhere.ts';

export interface ChosenProvider {
  readonly provider: string;
  /** Those that come before it and do not work here, with the reason. */
  readonly missing: readonly { readonly provider: string; readonly error: RhapsodeError }[];
}

/**
 * The first of the execution providers that this machine really computes with. The runtime itself does not fall back: it throws when
 * a provider's library or driver is missing. Throws `config_invalid` if none works; `cpu` always does.
 */
export async function chooseProvider(
  wanted: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<ChosenProvider> {
  const missing: { provider: string; error: RhapsodeError }[] = [];
  for (const provider of wanted)
    try {
      if (provider !== 'cpu') await tryProvider(provider, env);
      return { provider, missing };
    } catch (error) {
      missing.push({ provider, error: asRhapsodeError(error) });
    }
  throw new RhapsodeError('config_invalid', {
    message: `no execution provider works on this machine: ${missing
      .map(({ provider, error }) => `${provider} (${String(error.cause ?? error.message).slice(0, 300)})`)
      .join(', ')}; add cpu behind them to go on without`,
    cause: missing[0]?.error,
  });
}

/** Computes something small with it. */
export async function checkProvider(provider: string): Promise<void> {
  const graph = createGraphBuilder();
  const input = graph.input('input', float, 2);
  const output = graph.node('MatMul', [input, graph.weight('weight', [2, 2], Float32Array.of(1, 2, 3, 4))]);
  const session = await createSession(graph.build([output]), { providers: [provider] });
  const { data } = (await session.run({ input: float32(Float32Array.of(1, 1), [1, 2]) }))[output]!;
  if (data[0] !== 4 || data[1] !== 6)
    throw new RhapsodeError('config_invalid', {
      message: `the execution provider ${provider} does not add up`,
    });
}
