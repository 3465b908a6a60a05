/** English, of the keys. */
export const words = {
  keyList: {
    "/": "Search",
    "?": "Show these keys",
    "↓ ↑": "Go from row to row",
    "← →": "Close a folder, open it",
    "Home End": "Go to the first row, to the last",
    "Enter": "Open; in the search, open the first that was found",
    "Space": "Select, or press what has the focus",
    "Shift+Space": "Select all from the last selected to this one",
    "Del": "Delete the row's tag, or all that are selected",
    "Esc": "Clear the search, close a dialog",
  },
};
