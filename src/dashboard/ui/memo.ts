/** A component that is drawn again only when one of its properties is another value. */
import { Component, type ComponentType, type FunctionComponent, h } from "preact"

const differ = (before: object, after: object): boolean => {
  const a = Object.entries(before)
  return a.length !== Object.keys(after).length || a.some(([name, value]) => Reflect.get(after, name) !== value)
}

export const memo = <P extends object>(inner: FunctionComponent<P>): ComponentType<P> =>
  class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return differ(this.props, next)
    }
    override render() {
      return h(inner, this.props)
    }
  }
