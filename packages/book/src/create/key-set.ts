/**
 * Content keys that were seen, by their first 64 bits: enough to tell the sentences of a book apart, and some 16 bytes for
 * each, where a set of texts takes a hundred.
 */
export function createKeySet() {
  /** Pairs of words; two zeros are an empty place. */
  let places = new Uint32Array(2 * 1_024);
  let size = 0;

  /** The key's place in `table`, or the empty one where it would be. */
  function find(table: Uint32Array, high: number, low: number): number {
    const mask = table.length / 2 - 1;
    let at = low & mask;
    while (table[2 * at] !== 0 || table[2 * at + 1] !== 0) {
      if (table[2 * at] === high && table[2 * at + 1] === low) break;
      at = (at + 1) & mask;
    }
    return 2 * at;
  }

  function put(table: Uint32Array, high: number, low: number): boolean {
    const at = find(table, high, low);
    const isNew = table[at] === 0 && table[at + 1] === 0;
    table[at] = high;
    table[at + 1] = low;
    return isNew;
  }

  return {
    /** Whether it was not there before. */
    add(key: string): boolean {
      const high = Number.parseInt(key.slice(0, 8), 16);
      // Never two zeros.
      const low = Number.parseInt(key.slice(8, 16), 16) || 1;
      if (!put(places, high, low)) return false;
      size += 1;
      // Half of the places stay empty.
      if (4 * size > places.length) {
        const wider = new Uint32Array(2 * places.length);
        for (let at = 0; at < places.length; at += 2)
          if (places[at] !== 0 || places[at + 1] !== 0) put(wider, places[at]!, places[at + 1]!);
        places = wider;
      }
      return true;
    },
  };
}
