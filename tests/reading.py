"""Programs as Python's own parser reads them, where it can: an independent opinion on every precedence."""

from __future__ import annotations

import ast
from functools import reduce

from autodiff_compiler.graph import AND, CONSTANT, NEGATIVE, NOT, NOT_EQUAL, OR, WHERE, Graph
from autodiff_compiler.language.scope import FOLDED
from autodiff_compiler.primitives import CONSTANTS, lookup

ROWS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Mod: "mod",
    ast.Pow: "power", ast.Lt: "less", ast.LtE: "less_equal", ast.Gt: "greater",
    ast.GtE: "greater_equal", ast.Eq: "equal", ast.NotEq: "not_equal",
}  # fmt: skip


class NotPythonError(Exception):
    """A program that Python has no reading of, or another one."""


def read(source, inputs):
    """The graph of a program and its output, as Python reads it; raises `NotPythonError`."""
    try:
        tree = ast.parse(source.strip("\ufeff \t\r\n").replace("^", "**"))
    except SyntaxError:
        raise NotPythonError from None
    reader = Reader(inputs)
    for statement in tree.body:
        reader.statement(statement)
    return reader.graph, reader.output


class Reader:
    """Nodes from Python's syntax tree."""

    def __init__(self, inputs):
        self.graph = Graph()
        self.names = {name: self.graph.input(name) for name in inputs}
        self.assigned = {}
        self.output = None

    def statement(self, tree):
        if isinstance(tree, ast.Assign) and isinstance(tree.targets[0], ast.Name):
            self.output = self.assigned[tree.targets[0].id] = self.number(tree.value)
        elif isinstance(tree, ast.Expr) and isinstance(tree.value, ast.List):
            self.output = self.graph.stack([self.number(e) for e in tree.value.elts])
        elif isinstance(tree, ast.Expr):
            self.output = self.number(tree.value)
        else:
            raise NotPythonError

    def number(self, tree):
        node = self.node(tree)
        if not node.is_boolean:
            return node
        return self.graph.intern(WHERE, node, self.graph.constant(1), self.graph.constant(0))

    def condition(self, tree):
        node = self.node(tree)
        if node.is_boolean:
            return node
        if node.op is WHERE and [a.data for a in node.args[1:]] == [1, 0]:
            return node.args[0]
        return self.graph.intern(NOT_EQUAL, node, self.graph.constant(0))

    def node(self, tree):
        make = getattr(self, type(tree).__name__, None)
        if make is None:
            raise NotPythonError
        return make(tree)

    def intern(self, operator, *args):
        return self.graph.intern(lookup(ROWS[type(operator)]), *map(self.number, args))

    def Name(self, tree):
        found = self.assigned.get(tree.id)
        if found is None and tree.id in self.names:
            return self.names[tree.id]
        if found is None and tree.id not in CONSTANTS:
            raise NotPythonError
        return self.graph.intern(lookup(tree.id)) if found is None else found

    def Constant(self, tree):
        if type(tree.value) not in (int, float):
            raise NotPythonError
        return self.graph.constant(tree.value)

    def BinOp(self, tree):
        if type(tree.op) not in ROWS:
            raise NotPythonError
        return self.intern(tree.op, tree.left, tree.right)

    def UnaryOp(self, tree):
        if isinstance(tree.op, ast.Not):
            return self.graph.intern(NOT, self.condition(tree.operand))
        operand = self.number(tree.operand)
        if isinstance(tree.op, ast.UAdd):
            return operand
        if operand.op is CONSTANT:
            return self.graph.constant(-operand.data)
        return self.graph.intern(NEGATIVE, operand)

    def Compare(self, tree):
        operands = [tree.left, *tree.comparators]
        links = [self.intern(op, *operands[k : k + 2]) for k, op in enumerate(tree.ops)]
        return reduce(lambda a, b: self.graph.intern(AND, a, b), links)

    def BoolOp(self, tree):
        row = AND if isinstance(tree.op, ast.And) else OR
        return reduce(lambda a, b: self.graph.intern(row, a, b), map(self.condition, tree.values))

    def IfExp(self, tree):
        return self.select(tree.test, tree.body, tree.orelse)

    def select(self, condition, yes, no):
        parts = self.condition(condition), self.number(yes), self.number(no)
        return self.graph.intern(WHERE, *parts)

    def Call(self, tree):
        row = lookup(tree.func.id)
        if row is WHERE:
            return self.select(*tree.args)
        args = [self.number(a) for a in tree.args]
        if row.name == "log" and len(args) == 2:
            return self.graph.intern(lookup("divide"), *(self.graph.intern(row, a) for a in args))
        if row.name in FOLDED and len(args) > 2:
            return reduce(lambda a, b: self.graph.intern(row, a, b), args)
        return self.graph.intern(row, *args)

    def Subscript(self, tree):
        if not isinstance(tree.value, ast.List):
            raise NotPythonError
        return self.node(tree.value.elts[ast.literal_eval(tree.slice)])
