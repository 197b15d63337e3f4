/**
 * What the diff library could load and never does here: another highlighter as WebAssembly, which the page's policy
 * refuses, and its catalogue of themes. The build puts this in their place, so that nothing of them is shipped.
 */
export const themes = { getTheme: () => undefined };
export const isSupportedLanguage = () => false;

export class LiveTokenizer {
  constructor() {
    missing();
  }
}

export function codeToTokens(): never {
  return missing();
}

export function createOnigurumaEngine(): never {
  return missing();
}

function missing(): never {
  throw new Error("this part of the diff library is left out of the build");
}

export default {};
