const longest = 300;

// biome-ignore lint/suspicious/noControlCharactersInRegex: replacing them is the point
const controls = /[\u0000-\u001f\u007f]/g;

/**
 * Text that a text column can hold and that every reader sees unchanged. Control characters (also NUL) and halves of surrogate
 * pairs are replaced, and it is cut to 300 characters. Leaf and column get the same text.
 */
export const plain = (text: string): string => text.slice(0, longest).replace(controls, '\ufffd').toWellFormed();
