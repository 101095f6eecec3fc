// In place of react-style-singleton, which writes <style> elements to lock the scrolling behind a dialog. The page
// does not scroll, and its content security policy allows no such elements.
export const styleSingleton = () => () => null;
export const styleHookSingleton = () => () => {};
export const stylesheetSingleton = () => ({ add() {}, remove() {} });
