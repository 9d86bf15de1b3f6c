/** A file that its reader chose. `here`: this browser cannot write files, so the page offers the complete data as a download. */
export type Chosen = FileSystemFileHandle | 'here';

interface Picker {
  showSaveFilePicker?(options: { readonly suggestedName: string }): Promise<FileSystemFileHandle>;
}

/** Asks the person where to save. */
export async function chooseFile(suggestedName: string): Promise<Chosen | 'nothing-chosen'> {
  const { showSaveFilePicker } = window as Picker;
  if (showSaveFilePicker === undefined) return 'here';
  try {
    return await showSaveFilePicker.call(window, { suggestedName });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return 'nothing-chosen';
    throw error;
  }
}

/** Saves data that the page holds, as an ordinary download of the browser. */
export function saveAs(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // Not at once, because the browser reads it a moment later.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
