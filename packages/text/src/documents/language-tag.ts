/** A language as BCP 47 writes it, from what somebody wrote (`en_US`); undefined if it is none. */
export function languageTag(written: string): string | undefined {
  try {
    const [tag] = Intl.getCanonicalLocales(written.trim().replaceAll('_', '-'));
    return tag !== undefined && tag.length <= 35 ? tag : undefined;
  } catch {
    return undefined;
  }
}
