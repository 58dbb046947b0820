import ts from 'typescript'

const { factory } = ts

/**
 * The same declarations with every method written as a property that is a function. TypeScript compares the arguments of methods in both
 * directions at once, so `register(user: NewUser)` stays assignable when `NewUser` comes to ask for more; those of properties it compares
 * as what they are. Private members go: with them no two classes are alike.
 */
export function strictly(declarations: string): string {
  const source = ts.createSourceFile('declarations.d.ts', declarations, ts.ScriptTarget.ESNext, true)
  const { transformed } = ts.transform(source, [(context) => (file) => ts.visitEachChild(file, visitor(context), context)])
  return ts.createPrinter({ removeComments: true }).printFile(transformed[0]!)
}

function visitor(context: ts.TransformationContext): ts.Visitor {
  const visit = (node: ts.Node): ts.Node => {
    const inner = ts.visitEachChild(node, visit, context)
    if (ts.isInterfaceDeclaration(inner)) {
      const { modifiers, name, typeParameters, heritageClauses, members } = inner
      return factory.updateInterfaceDeclaration(inner, modifiers, name, typeParameters, heritageClauses, asProperties(members))
    }
    if (ts.isTypeLiteralNode(inner)) return factory.updateTypeLiteralNode(inner, factory.createNodeArray(asProperties(inner.members)))
    if (ts.isClassDeclaration(inner)) {
      const { modifiers, name, typeParameters, heritageClauses, members } = inner
      return factory.updateClassDeclaration(inner, modifiers, name, typeParameters, heritageClauses, asClassProperties(members))
    }
    return inner
  }
  return visit
}

function asProperties(members: readonly ts.TypeElement[]): ts.TypeElement[] {
  return joined(members, ts.isMethodSignature, (name, type, [first]) =>
    factory.createPropertySignature(ts.getModifiers(first as never), name, first!.questionToken, type),
  )
}

function asClassProperties(members: readonly ts.ClassElement[]): ts.ClassElement[] {
  const open = members.filter(
    (member) =>
      !(member.name && ts.isPrivateIdentifier(member.name)) &&
      !(ts.getCombinedModifierFlags(member as ts.Declaration) & ts.ModifierFlags.Private),
  )
  return joined(open, ts.isMethodDeclaration, (name, type, [first]) =>
    factory.createPropertyDeclaration(first!.modifiers, name, first!.questionToken, type, undefined),
  )
}

type Method = ts.MethodSignature | ts.MethodDeclaration

/** Overloads have one name and become one type. */
function joined<Member extends ts.Node>(
  members: readonly Member[],
  isMethod: (member: ts.Node) => member is Method & Member,
  property: (name: ts.PropertyName, type: ts.TypeNode, methods: Method[]) => Member,
): Member[] {
  const methods = Map.groupBy(members.filter(isMethod), ({ name }) => nameOf(name))
  const seen = new Set<string>()
  return members.flatMap((member) => {
    if (!isMethod(member)) return [member]
    const name = nameOf(member.name)
    if (seen.has(name)) return []
    seen.add(name)
    const all = methods.get(name)!
    return [property(member.name, functionType(all), all)]
  })
}

function nameOf(name: ts.PropertyName): string {
  return ts.isComputedPropertyName(name) ? `[${(name.expression as ts.PropertyAccessExpression).name.text}]` : name.text
}

function functionType(methods: Method[]): ts.TypeNode {
  const [only] = methods
  if (methods.length === 1) return factory.createFunctionTypeNode(only!.typeParameters, only!.parameters, only!.type!)
  return factory.createTypeLiteralNode(methods.map((one) => factory.createCallSignature(one.typeParameters, one.parameters, one.type)))
}
