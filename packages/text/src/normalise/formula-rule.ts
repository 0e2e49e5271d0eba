import { matchAt, type Rule } from './rule.ts';
import type { Speech } from './speech.ts';

/** Chemical formulas: `H₂O`, `NaCl`, `C6H12O6`, `Ca²⁺`. */
export function createFormulaRule(speech: Speech): Rule {
  const { words } = speech;
  return ({ text, at }) => {
    const found = matchAt(
      /(?:(?:[A-Z][a-z]?|\((?:[A-Z][a-z]?[\d₀-₉]{0,3}){1,4}\))[\d₀-₉]{0,3}){1,12}(?:[⁺⁻]|[²³][⁺⁻])?(?![\p{L}\p{N}])/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const written = found[0];
    const parts = [...written.matchAll(/([A-Z][a-z]?)|([\d₀-₉]+)|([²³]?[⁺⁻])/gu)];
    const symbols = parts.filter(([, symbol]) => symbol !== undefined).map(([, symbol]) => symbol!);
    const numbered = /[\d₀-₉]/u.test(written);
    const plain =
      /^(?:NaCl|KCl|HCl|NaOH|KOH|HBr|HF|HI|NaF|KBr|CaO|MgO|NaHCO|AgCl|ZnO|CuO|FeO|FeS|ZnS|SiC|GaAs|LiCl|NaI|KI)$/u.test(
        written,
      );
    if (!(plain || numbered) || !symbols.every((symbol) => elements.has(symbol))) return undefined;
    const subscript = /[₀-₉]/u.test(written);
    // `A4`, `V8`, `B12`: one letter and a number is a name, unless it is a gas or written as a formula.
    if (!plain && !subscript && symbols.length < 2 && !/^(?:O2|O3|H2|N2|Cl2|F2|Br2|I2)$/u.test(written))
      return undefined;
    if (!plain && !subscript && !/[A-Za-z)]\d|\d[A-Z]/u.test(written)) return undefined;
    if (!plain && !subscript && /^(?:U2|K2|F16|B52|PS\d|WW\d|PH\d|IPv\d)$/u.test(written)) return undefined;
    if (!plain && !subscript && /\d{2,}$/u.test(written) && !/^C\d/u.test(written)) return undefined;
    const spoken = parts
      .map(([, symbol, digits, charge]) => {
        if (symbol !== undefined) return [...symbol.toUpperCase()].join(' ');
        if (digits !== undefined)
          return speech.cardinal(
            BigInt(
              [...digits]
                .map((char) => ('₀₁₂₃₄₅₆₇₈₉'.includes(char) ? '₀₁₂₃₄₅₆₇₈₉'.indexOf(char) : char))
                .join(''),
            ),
          );
        const count = charge!.startsWith('²')
          ? `${speech.cardinal(2n)} `
          : charge!.startsWith('³')
            ? `${speech.cardinal(3n)} `
            : '';
        return count + (charge!.endsWith('⁺') ? words.plus : words.minus);
      })
      .join(' ');
    return { end: at + written.length, spoken };
  };
}

const elements = new Set(
  'H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Nd Sm Eu Gd W Pt Au Hg Tl Pb Bi Po Rn Ra Th U Pu'.split(
    ' ',
  ),
);
