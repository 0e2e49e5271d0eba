import { type LexiconRules, lexiconName, lexiconRules, RhapsodeError } from '@rhapsode/contracts';
import type { GatewayDeps } from './deps.ts';
import { lexiconOf, type ReadyText, type TextRequest } from './text-options.ts';

type Deps = Pick<GatewayDeps, 'store' | 'tenant'>;

export const lexiconLimits = { lexicons: 100, characters: 131_072 } as const;

export interface KeptLexicon {
  readonly name: string;
  readonly object: 'lexicon';
  /** Of the rules: the same ones have the same. */
  readonly version: string;
  readonly rules: LexiconRules;
}

const kept = (name: string, rules: LexiconRules): KeptLexicon => ({
  name,
  object: 'lexicon',
  version: lexiconOf(rules).digest.slice(0, 16),
  rules,
});

export async function keepLexicon(
  name: string,
  rules: LexiconRules,
  { store, tenant }: Deps,
): Promise<{ lexicon: KeptLexicon; created: boolean }> {
  const text = JSON.stringify(rules);
  if (text.length > lexiconLimits.characters)
    throw new RhapsodeError('payload_too_large', {
      message: `'rules' has ${text.length} characters of JSON, the most is ${lexiconLimits.characters}; keep several lexicons`,
      param: 'rules',
    });
  const lexicon = checked(name, rules);
  const result = await store.putLexicon(tenant, name, text, { most: lexiconLimits.lexicons });
  if (result === 'over_limit')
    throw new RhapsodeError('invalid_request', {
      message: `there are ${lexiconLimits.lexicons} lexicons already, which is the most; delete one first`,
      param: 'name',
    });
  return { lexicon, created: result === 'created' };
}

function checked(name: string, rules: LexiconRules): KeptLexicon {
  try {
    return kept(name, rules);
  } catch (cause) {
    if (!(cause instanceof RhapsodeError)) throw cause;
    throw new RhapsodeError(cause.code, { message: cause.message, param: 'rules', cause });
  }
}

/** A name that can't be one is of no lexicon. */
export async function findLexicon(name: string, { store, tenant }: Deps): Promise<KeptLexicon> {
  const text = lexiconName.safeParse(name).success ? await store.lexicon(tenant, name) : undefined;
  if (text === undefined)
    throw new RhapsodeError('lexicon_not_found', {
      message: `there is no lexicon '${name.slice(0, 100)}'; put one to /v1/lexicons/{name}, or send rules`,
      param: 'lexicon',
    });
  return kept(name, lexiconRules.parse(JSON.parse(text)));
}

/** The request with the rules that its lexicon has now: whatever becomes of that, they stay. */
export async function withRules<T extends TextRequest>(request: T, deps: Deps): Promise<ReadyText<T>> {
  const { lexicon, ...rest } = request;
  const rules = typeof lexicon === 'string' ? (await findLexicon(lexicon, deps)).rules : lexicon;
  return { ...rest, ...(rules === undefined ? {} : { lexicon: rules }) };
}
