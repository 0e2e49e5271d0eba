import type { RequestStore } from '../port.ts';

type Lexicons = Pick<RequestStore, 'putLexicon' | 'lexicon' | 'lexicons' | 'deleteLexicon'>;

/** Texts by tenant and name. */
export function createLexicons(): Lexicons {
  const tenants = new Map<string, Map<string, string>>();
  const of = (tenant: string) => tenants.get(tenant) ?? new Map<string, string>();
  return {
    async putLexicon(tenant, name, text, { most }) {
      const known = of(tenant);
      const isNew = !known.has(name);
      if (isNew && known.size >= most) return 'over_limit';
      tenants.set(tenant, known.set(name, text));
      return isNew ? 'created' : 'replaced';
    },
    lexicon: async (tenant, name) => of(tenant).get(name),
    lexicons: async (tenant) => [...of(tenant).keys()].sort(),
    deleteLexicon: async (tenant, name) => of(tenant).delete(name),
  };
}
