import { type ComponentType, lazy, Suspense } from "react";

/** A part that is loaded when it is first shown, and shows nothing until then. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const Part = lazy(() => load().then((found) => ({ default: found as ComponentType<object> })));
  return function Later(props: P) {
    return (
      <Suspense fallback={null}>
        <Part {...props} />
      </Suspense>
    );
  };
}
