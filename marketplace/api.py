"""The marketplace for other programs: what is on sale, to be read by anybody, and its OpenAPI schema."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Prefetch, QuerySet
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from drf_spectacular.views import SpectacularAPIView
from rest_framework import generics, serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from lazyimages.contrib.rest_framework import LazyImageField, LazyImageSerializerMixin
from lazyimages.contrib.spectacular import image_parameters
from marketplace.models import Category, Photo, Product, Seller

PRESETS = ["card", "detail", "thumb"]
IMAGES = image_parameters(presets=PRESETS)


class ProductQuery(serializers.Serializer):
    """What a list may be narrowed by."""

    q = serializers.CharField(
        help_text="Words that a product has to have.", required=False, allow_blank=True, max_length=100
    )
    category = serializers.SlugField(help_text="A category's slug.", required=False)


class CategorySerializer(serializers.ModelSerializer):
    """A shelf."""

    class Meta:
        model = Category
        fields = ["slug", "name"]


class SellerSerializer(serializers.ModelSerializer):
    """A maker."""

    class Meta:
        model = Seller
        fields = ["slug", "name", "town"]


class PhotoSerializer(LazyImageSerializerMixin, serializers.ModelSerializer):
    """A photo and what it shows."""

    class Meta:
        model = Photo
        fields = ["image", "alt"]
        extra_kwargs = {"image": {"presets": PRESETS}}


class ProductSerializer(serializers.ModelSerializer):
    """What a card shows of a product."""

    url = serializers.SerializerMethodField()
    is_sold = serializers.BooleanField(read_only=True)
    category = CategorySerializer(read_only=True)
    seller = SellerSerializer(read_only=True)
    cover = LazyImageField(source="cover.image", presets=PRESETS, read_only=True, default=None)

    class Meta:
        model = Product
        fields = ["id", "url", "title", "price", "is_sold", "created", "category", "seller", "cover"]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, product: Product) -> str:
        """Return the address of the product's own page."""
        return self.context["request"].build_absolute_uri(product.get_absolute_url())


class ProductDetailSerializer(ProductSerializer):
    """All that the product's page shows of it."""

    photos = PhotoSerializer(many=True, read_only=True)

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "description", "photos"]
        read_only_fields = fields


class NewestFirst(CursorPagination):
    """Pages that cost the same at any depth."""

    ordering = ("-created", "-pk")
    page_size = 24

    def decode_cursor(self, request: Request) -> Any:
        """Refuse a cursor of which the place is no date, as one that cannot be read at all."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None:
            try:
                models.DateTimeField().to_python(cursor.position)
            except ValidationError as error:
                raise NotFound(self.invalid_cursor_message) from error
        return cursor


class ProductList(generics.ListAPIView):
    """What is on sale and what was sold, newest first."""

    serializer_class = ProductSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[Product]:
        """Return what matches the query."""
        query = ProductQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        found = Product.objects.visible().with_cover()
        if words := query.validated_data.get("q"):
            found = found.filter(document__matches=words)
        if category := query.validated_data.get("category"):
            found = found.filter(category__slug=category)
        return found

    @extend_schema(parameters=[ProductQuery, *IMAGES])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List products."""
        return super().get(request, *args, **kwargs)


class ProductDetail(generics.RetrieveAPIView):
    """One product with all of its photos."""

    serializer_class = ProductDetailSerializer

    def get_queryset(self) -> QuerySet[Product]:
        """Return what everybody may see."""
        photos = Prefetch("photos", Photo.objects.order_by("position", "pk"))
        return Product.objects.visible().select_related("seller", "category").prefetch_related(photos)

    @extend_schema(parameters=IMAGES)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one product."""
        return super().get(request, *args, **kwargs)


urlpatterns = [
    path("products/", ProductList.as_view(), name="api-products"),
    path("products/<int:pk>/", ProductDetail.as_view(), name="api-product"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
]
