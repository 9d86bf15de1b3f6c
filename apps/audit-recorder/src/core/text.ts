const longest = 300;

// biome-ignore lint/suspicious/noControlCharactersInRegex: replacing them is the point
const controls = /[\u0000-\u001f\u007f]/g;

/**
 * Text as a text column can hold it and as every reader will see it again: control characters (a NUL among them) and
 * halves of surrogate pairs replaced, cut to 300 characters. Leaf and column get this same text.
 */
export const plain = (text: string): string => text.slice(0, longest).replace(controls, '\ufffd').toWellFormed();
