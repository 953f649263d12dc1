"""FastAPI with SQLAlchemy's async session, as both documentations teach it."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import URL, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from bench.contenders.fastapi_models import (
    Attribute,
    Category,
    OutboxEvent,
    Product,
    ProductType,
    Review,
    TypeAttribute,
    User,
    Variant,
)
from bench.contenders.fastapi_models import Rating as ProductRating
from bench.contenders.fastapi_schemas import (
    Card,
    Page,
    ProductOut,
    Profile,
    ReviewIn,
    ReviewOut,
)

PAGE_SIZE = 20
engine = create_async_engine(
    URL.create(
        "postgresql+asyncpg",
        os.environ["POSTGRES_USER"],
        os.environ["POSTGRES_PASSWORD"],
        os.environ["POSTGRES_HOST"],
        int(os.environ["POSTGRES_PORT"]),
        os.environ["POSTGRES_DB"],
    ),
    pool_size=int(os.environ["BENCH_POOL"]),
    max_overflow=0,
    pool_timeout=60,
)
new_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(openapi_url=None)
bearer = HTTPBearer()


async def session() -> AsyncIterator[AsyncSession]:
    """A session a request."""
    async with new_session() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


async def current_user(
    database: Session, given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
) -> User:
    """The customer of the access token."""
    try:
        claims = jwt.decode(
            given.credentials,
            os.environ["TOKEN_KEY"],
            algorithms=["HS256"],
            issuer="lavka",
            audience="lavka.api",
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    user = await database.get(User, claims["sub"])
    if user is None or not user.is_active:
        raise HTTPException(401)
    return user


Customer = Annotated[User, Depends(current_user)]


@app.get("/api/v1/products/")
async def list_products(
    database: Session,
    page: int = 1,
    category: str | None = None,
    price_min: int | None = None,
    sort: str = "newest",
) -> Page:
    """The shop window."""
    found = _published()
    if category:
        # Looked up first, as the Django contenders do: PostgreSQL then knows how few they are.
        branch = (await database.scalars(_branch(category))).all()
        found = found.where(Product.category_id.in_(branch))
    price = (
        select(func.min(Variant.price_amount))
        .where(Variant.product_id == Product.id)
        .correlate(Product)
        .scalar_subquery()
    )
    if price_min is not None:
        found = found.where(price >= price_min)
    count = await database.scalar(found.with_only_columns(func.count()))
    match sort:
        case "price":
            found = found.order_by(price, Product.id)
        case "-price":
            found = found.order_by(price.desc(), Product.id.desc())
        case "rating":
            found = found.outerjoin(ProductRating).order_by(
                ProductRating.average.desc().nulls_last(), Product.id.desc()
            )
        case _:
            found = found.order_by(Product.id.desc())
    rows = await database.scalars(
        found.options(
            joinedload(Product.brand),
            joinedload(Product.category),
            joinedload(Product.rating_row),
            selectinload(Product.variants),
            selectinload(Product.images),
        )
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    )
    return Page(items=[Card.model_validate(row) for row in rows], count=count)


@app.get("/api/v1/products/{slug}/")
async def get_product(database: Session, slug: str) -> ProductOut:
    """A product's page."""
    found = _published().where(Product.slug == slug)
    types = joinedload(Product.product_type).selectinload(ProductType.type_attributes)
    product = await database.scalar(
        found.options(
            joinedload(Product.brand),
            joinedload(Product.category).joinedload(Category.parent).joinedload(Category.parent),
            joinedload(Product.rating_row),
            selectinload(Product.variants).selectinload(Variant.image_links),
            selectinload(Product.images),
            types.joinedload(TypeAttribute.attribute).selectinload(Attribute.choices),
        )
    )
    if product is None:
        raise HTTPException(404)
    return ProductOut.of(product)


@app.get("/api/v1/me/")
async def get_me(user: Customer) -> Profile:
    """Whose token it is."""
    return Profile.model_validate(user)


@app.post("/api/v1/products/{slug}/reviews/", status_code=201)
async def write_review(
    database: Session, user: Customer, slug: str, content: ReviewIn
) -> ReviewOut:
    """A customer writes a review; the event is in the same commit."""
    product_id = await database.scalar(select(Product.id).where(Product.slug == slug))
    if product_id is None:
        raise HTTPException(404)
    now = datetime.now(UTC)
    review = Review(
        product_id=product_id, author_id=user.id, **content.model_dump(),
        status="published", helpful=0, created_at=now, updated_at=now,
    )  # fmt: skip
    database.add(review)
    await database.flush()
    payload = {"review_id": str(review.id), "product_id": str(product_id)}
    database.add(OutboxEvent(name="reviews.review_changed", aggregate=review.id, payload=payload))
    await database.commit()
    return ReviewOut(
        id=review.id, **content.model_dump(), author=user.name, helpful=review.helpful,
        created_at=review.created_at, status=review.status, product=slug,
    )  # fmt: skip


def _published() -> Select[Any]:
    """No seeded product has a publishing window; without it the count reads an index only."""
    return select(Product).where(Product.status == "published")


def _branch(slug: str) -> Select[Any]:
    """The ids of a category and all below it."""
    branch = select(Category.id).where(Category.slug == slug).cte(recursive=True)
    below = select(Category.id).where(Category.parent_id == branch.c.id)
    return select(branch.union_all(below).c.id)
